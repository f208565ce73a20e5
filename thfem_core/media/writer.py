"""Writing a clip: the frames it is given, with the source's time stamps, size, colours, sound and metadata."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import av.error

from ..errors import InputError, OutputError
from ..progress import Progress, silent
from .array_video import ArrayVideo
from .atomic import check_output, complete_file
from .edited_mark import edited_metadata
from .encoding import Container, EncodingConfig, container_for
from .file_video import FileVideo
from .frame import Frame
from .sound import Sound, find_sound_stream
from .sound_track import SoundKind, SoundTrack, add_sound_file, encode_samples
from .source import open_media
from .video import Video
from .video_track import VideoTrack

STAGE = "Writing video"
# A clip whose first sample is later than this (seconds) has a clock that says nothing about the clip.
_LATEST_START = Fraction(1, 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteReport:
    """What was written. sound: how the track came about. warnings: one line each, for the user."""

    path: Path
    frame_count: int
    codec: str
    pixel_format: str
    sound: SoundKind
    warnings: tuple[str, ...]


def check_video_output(path: str | os.PathLike[str]) -> Path:
    """The path, if a video can be written there. Raises OutputError; call it before long work."""
    output = check_output(path)
    container_for(output)
    return output


def write_video(
    frames: Iterable[Frame],
    path: str | os.PathLike[str],
    *,
    like: Video,
    sound: Literal["source"] | Sound | None = "source",
    encoding: EncodingConfig | None = None,
    progress: Progress = silent,
    warn: Callable[[str], None] | None = None,
) -> WriteReport:
    """Encode ``frames`` to ``path`` as a clip like ``like``; the ending chooses .mp4, .m4v, .mov, .mkv or .webm.

    Frame count, time stamps, size, colour tags, depth and metadata are kept; the mark of synthetic media is added.
    sound: "source" keeps the track of ``like`` (copied if the container takes it and the clip is not cut at its
    start, otherwise re-encoded without shift), a Sound replaces it, None drops it.
    The file appears only when it is complete, so ``path`` may be the input itself. ``frames`` is closed at the end.
    Raises OutputError (cannot be written) or InputError (no frames, or of several sizes).
    """
    path = Path(path)
    try:
        container = container_for(path)
        with complete_file(path) as temporary:
            report = _write(frames, path, temporary, like, sound, encoding or EncodingConfig(), container, progress)
    finally:
        close = getattr(frames, "close", None)
        if close is not None:
            close()
    for line in report.warnings if warn is not None else ():
        warn(line)
    return report


@contextmanager
def _output_container(temporary: Path, path: Path, container: Container):
    """An open muxer; closing it completes the file, and on failure does not hide the cause."""
    fast_start = {"movflags": "+faststart+use_metadata_tags"} if container.muxer in ("mp4", "mov") else {}
    try:
        output = av.open(str(temporary), "w", format=container.muxer, container_options=fast_start)
        try:
            yield output
        except BaseException:
            with suppress(Exception):
                output.close()
            raise
        output.close()
    except OSError:
        raise  # complete_file says what to do
    except av.error.FFmpegError as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"cannot write {path}: the encoder refuses ({reason}); choose another codec") from error


def _write(
    frames: Iterable[Frame],
    path: Path,
    temporary: Path,
    like: Video,
    sound: Literal["source"] | Sound | None,
    encoding: EncodingConfig,
    container: Container,
    progress: Progress,
) -> WriteReport:
    iterator = iter(frames)
    first = next(iterator, None)
    if first is None:
        raise InputError("there are no frames to write; give a clip with at least one")
    if sound == "source" and isinstance(like, ArrayVideo):
        sound = like.sound
    warnings: list[str] = []
    with ExitStack() as stack:
        output = stack.enter_context(_output_container(temporary, path, container))
        file_video = like if isinstance(like, FileVideo) else None
        output.metadata.update(edited_metadata(file_video.metadata if file_video else {}))
        copies = stack.enter_context(open_media(file_video.source)) if sound == "source" and file_video else None
        shift = _shift(file_video, copies) if file_video and copies else Fraction(0)
        offset = file_video.origin - shift if file_video and copies else Fraction(0)
        pictures = VideoTrack(output, first, like=like, container=container, encoding=encoding, offset=offset)
        if pictures.drops_alpha:
            warnings.append(f"{path.suffix} files here hold no transparency; it was dropped (use .webm or .mov)")
        track: SoundTrack | None = None
        kind: SoundKind = "none"
        if isinstance(sound, Sound):
            track = encode_samples(output, sound, codec=container.sound, bitrate=encoding.sound_bitrate)
            kind = "encoded" if track is not None else "none"
        elif copies is not None and file_video is not None:
            track, kind, lost = add_sound_file(
                output, container, file_video, copies, shift=shift, bitrate=encoding.sound_bitrate
            )
            warnings += [lost] if lost else []
        count = 0
        frame: Frame | None = first
        while frame is not None:
            time = pictures.add(frame)
            if track is not None:
                track.advance(time)
            count += 1
            progress(STAGE, count, like.info.frame_count)
            frame = next(iterator, None)
        pictures.finish(like.info.duration)
        if track is not None:
            track.advance(None)
    return WriteReport(
        path=path,
        frame_count=count,
        codec=pictures.codec,
        pixel_format=pictures.layout.name,
        sound=kind,
        warnings=tuple(warnings),
    )


def _shift(video: FileVideo, source: av.container.InputContainer) -> Fraction:
    """The moment of the source's clock that becomes 0 of the output.

    Usually 0 itself, so that time stamps and the distance between picture and sound stay as they are. A clip cut
    at its start begins with its first frame, and broadcast clocks, which start anywhere, are set to zero.
    """
    if video.window.start or video.origin < 0:
        return video.origin
    stream = find_sound_stream(source)
    sound_start = (stream.start_time or 0) * stream.time_base if stream is not None else video.origin
    earliest = min(video.origin, max(sound_start, Fraction(0)))
    return earliest if earliest > _LATEST_START else Fraction(0)
