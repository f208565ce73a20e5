"""Writing a clip: the frames it is given, with the source's time stamps, size, colours, sound and metadata."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import av.error

from ..errors import InputError, OutputError
from ..progress import Progress, silent
from .atomic import check_output, complete_file
from .edited_mark import edited_metadata
from .encoding import Container, EncodingConfig, container_for
from .frame import Frame
from .other_tracks import take_over
from .sound import Sound
from .sound_stream import find_sound_stream, stream_start
from .sound_track import SoundKind, SoundTrack, add_file_sound, encode_blocks
from .source import file_url, open_media
from .video import SourceFile, Video
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
    frames: Generator[Frame, None, None],
    path: str | os.PathLike[str],
    *,
    like: Video,
    sound: Literal["source"] | Sound | None = "source",
    encoding: EncodingConfig | None = None,
    progress: Progress = silent,
    warn: Callable[[str], None] | None = None,
) -> WriteReport:
    """Encode frames into a file like another clip: same times, size, colours, depth, tags and sound.

    The mark of synthetic media is added. The file appears only when it is complete, so it may be the input itself.

    Args:
        frames: at least one, all of one size; closed at the end, whatever happens.
        path: the ending chooses .mp4, .m4v, .mov, .mkv or .webm.
        like: the clip that the frames stand for.
        sound: "source" keeps the sound of ``like`` (copied where the container takes it and the clip is not cut at
            its start, otherwise encoded anew without shift), a Sound replaces it, None drops it.
        encoding: codec and quality.
        progress: is told of every frame.
        warn: is told the report's warnings.

    Returns:
        What was written.

    Raises:
        OutputError: the file cannot be written.
        InputError: there are no frames, or they are of several sizes.
    """
    path = Path(path)
    with closing(frames):
        container = container_for(path)
        with complete_file(path) as temporary:
            report = _write(frames, path, temporary, like, sound, encoding or EncodingConfig(), container, progress)
    if warn is not None:
        for line in report.warnings:
            warn(line)
    return report


@contextmanager
def _output_container(temporary: Path, path: Path, container: Container) -> Iterator[av.container.OutputContainer]:
    """An open muxer; closing it completes the file, and on failure does not hide the cause."""
    fast_start = {"movflags": "+faststart+use_metadata_tags"} if container.muxer in ("mp4", "mov") else {}
    try:
        output = av.open(file_url(temporary), "w", format=container.muxer, container_options=fast_start)
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
    frames: Iterator[Frame],
    path: Path,
    temporary: Path,
    like: Video,
    sound: Literal["source"] | Sound | None,
    encoding: EncodingConfig,
    container: Container,
    progress: Progress,
) -> WriteReport:
    first = next(frames, None)
    if first is None:
        raise InputError("there are no frames to write; give a clip with at least one")
    warnings: list[str] = []
    with ExitStack() as stack:
        output = stack.enter_context(_output_container(temporary, path, container))
        source = like.source
        output.metadata.update(edited_metadata(source.facts.metadata if source is not None else {}))
        shift = offset = Fraction(0)
        copies = None
        if source is not None and sound == "source":
            copies = stack.enter_context(open_media(source.media))
            shift = _shift(source, copies)
            offset = source.origin - shift
        pictures = VideoTrack(output, first, like=like, container=container, encoding=encoding, offset=offset)
        if pictures.drops_alpha:
            warnings.append(f"{path.suffix} files here hold no transparency; it was dropped (use .webm or .mov)")
        if source is not None and source.facts.mastering_display and pictures.codec not in ("libx264", "libx265"):
            warnings.append(f"the HDR10 metadata is not kept by {pictures.codec}; use .mp4, .mov or .mkv")
        if pictures.plays_not:
            warnings.append(pictures.plays_not)
        bitrate = encoding.sound_bitrate
        track: SoundTrack | None = None
        kind: SoundKind = "none"
        if source is not None and copies is not None:
            track, kind = add_file_sound(
                output, container, source, copies, shift=shift, bitrate=bitrate, warn=warnings.append
            )
        elif sound is not None:
            blocks = like.sound_blocks(warn=warnings.append) if sound == "source" else sound.blocks()
            stack.enter_context(closing(blocks))
            track = encode_blocks(output, blocks, codec=container.sound, bitrate=bitrate, warn=warnings.append)
            kind = "encoded" if track is not None else "none"
        others: list[SoundTrack] = []
        if source is not None:
            others = take_over(
                output,
                container,
                source,
                sound=_main_sound(copies),
                keep_sound=copies is not None,
                shift=shift,
                stack=stack,
                warn=warnings.append,
            )
        tracks = others if track is None else [track, *others]
        count = 0
        frame: Frame | None = first
        while frame is not None:
            time = pictures.add(frame)
            for each in tracks:
                each.advance(time)
            count += 1
            progress(STAGE, count, like.info.frame_count)
            frame = next(frames, None)
        pictures.finish(like.info.duration)
        for each in tracks:
            each.advance(None)
    return WriteReport(
        path=path,
        frame_count=count,
        codec=pictures.codec,
        pixel_format=pictures.layout.name,
        sound=kind,
        warnings=tuple(warnings),
    )


def _main_sound(copies: av.container.InputContainer | None) -> int | None:
    stream = None if copies is None else find_sound_stream(copies)
    return None if stream is None else stream.index


def _shift(source: SourceFile, container: av.container.InputContainer) -> Fraction:
    """The moment of the source's clock that becomes 0 of the output.

    Usually 0 itself, so that time stamps and the distance between picture and sound stay as they are. A clip cut
    at its start begins with its first frame, and broadcast clocks, which start anywhere, are set to zero.
    """
    if source.start or source.origin < 0:
        return source.origin
    stream = find_sound_stream(container)
    sound_start = stream_start(stream) if stream is not None else source.origin
    earliest = min(source.origin, max(sound_start, Fraction(0)))
    return earliest if earliest > _LATEST_START else Fraction(0)
