"""What a file holds beside its pictures and its main sound, taken over where the output can hold it, else named."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from fractions import Fraction

import av
import av.error

from .encoding import Container
from .facts import MediaFacts, TrackFacts
from .sound_track import CopiedTrack, SoundTrack, can_copy
from .source import open_media
from .video import SourceFile

_MATROSKA_SUBTITLES = frozenset({"srt", "subrip", "ass", "ssa", "webvtt", "dvdsub", "dvbsub", "pgssub"})
_SUBTITLES = {
    "mp4": frozenset({"mov_text"}),
    "mov": frozenset({"mov_text"}),
    "matroska": _MATROSKA_SUBTITLES,
    "webm": frozenset({"webvtt"}),
}
_NAMES = {"audio": "sound track", "subtitle": "subtitles", "data": "data track", "video": "second picture track"}


def take_over(
    output: av.container.OutputContainer,
    container: Container,
    source: SourceFile,
    *,
    sound: int | None,
    keep_sound: bool,
    shift: Fraction,
    stack: ExitStack,
    warn: Callable[[str], None],
) -> list[SoundTrack]:
    """Start copies of a file's other tracks, and take over its chapters, cover and attachments.

    Args:
        output: The file that is written; pictures and main sound have been added.
        container: Its type.
        source: The file to take from.
        sound: Number of the main sound track, which is in the output already.
        keep_sound: Whether the output has the source's own sound; another one replaces all of its sound tracks.
        shift: The moment of the source's clock that becomes time 0 of the output, in seconds.
        stack: Closes what is opened here.
        warn: Is told in one line what the output cannot hold.

    Returns:
        The tracks, to be advanced with the pictures.
    """
    facts, tracks, dropped = source.facts, list[SoundTrack](), list[str]()
    main_picture = next((track.index for track in facts.tracks if track.kind == "video" and not track.is_cover), None)
    for track in facts.tracks:
        if track.index in (sound, main_picture) or _is_rebuilt(track, facts):
            continue
        if track.kind == "audio" and not keep_sound:
            continue
        media = stack.enter_context(open_media(source.media))
        stream = media.streams[track.index]
        with suppress(av.error.FFmpegError, ValueError):  # the muxer refuses it after all
            if track.kind == "attachment" and container.muxer == "matroska":
                _copy_attachment(output, stream)
                continue
            if track.is_cover and container.muxer == "matroska":
                _copy_cover(output, media, stream)
                continue
            if _is_taken(stream, track, container, output):
                hides = container.muxer in ("mp4", "mov") or track.kind != "audio"
                copy = CopiedTrack(
                    output, media, stream, shift=shift, stop=source.stop, keeps_unheard=hides, warn=lambda line: None
                )
                copy.stream.disposition = stream.disposition
                tracks.append(copy)
                continue
        dropped.append(_described(track))
    _copy_chapters(output, source, shift)
    if facts.timecode and source.start:
        dropped.append("the timecode, as the clip is cut at its start")
    dropped += facts.not_carried
    if dropped:
        warn(f"not kept in this kind of file: {', '.join(dropped)}")
    return tracks


def _is_rebuilt(track: TrackFacts, facts: MediaFacts) -> bool:
    """Chapters and timecodes of .mov and .mp4 are data tracks that the muxer makes anew."""
    return track.kind == "data" and track.codec in ("bin_data", "tmcd", "") and bool(facts.chapters or facts.timecode)


def _is_taken(
    stream: av.stream.Stream, track: TrackFacts, container: Container, output: av.container.OutputContainer
) -> bool:
    if isinstance(stream, av.AudioStream):
        return can_copy(stream, container, output)
    return track.kind == "subtitle" and track.codec in _SUBTITLES.get(container.muxer, frozenset())


def _described(track: TrackFacts) -> str:
    """Such as "sound track 2 (fra, 5.1)"."""
    name = "the cover picture" if track.is_cover else f"{_NAMES.get(track.kind, track.kind)} {track.index}"
    details = ", ".join(filter(None, (track.language, track.title, track.channels, track.codec)))
    return f"{name} ({details})" if details and not track.is_cover else name


def _copy_attachment(output: av.container.OutputContainer, stream: av.stream.Stream) -> None:
    kind = stream.metadata.get("mimetype", "application/octet-stream")
    output.add_attachment(stream.metadata.get("filename", "attachment"), kind, stream.data or b"")  # type: ignore[attr-defined]


def _copy_cover(
    output: av.container.OutputContainer, source: av.container.InputContainer, stream: av.stream.Stream
) -> None:
    """Matroska keeps a cover as an attachment of that name."""
    packet = next(packet for packet in source.demux(stream) if packet.size)
    kind = "png" if stream.codec_context is not None and stream.codec_context.name == "png" else "jpeg"
    output.add_attachment(f"cover.{kind.replace('jpeg', 'jpg')}", f"image/{kind}", bytes(packet))


def _copy_chapters(output: av.container.OutputContainer, source: SourceFile, shift: Fraction) -> None:
    kept = []
    for number, chapter in enumerate(source.facts.chapters):
        start: Fraction = max(chapter.start, source.start) - shift
        end: Fraction = (chapter.end if source.stop is None else min(chapter.end, source.stop)) - shift
        if end > max(start, Fraction(0)):
            kept.append(
                {
                    "id": number + 1,
                    "start": round(max(start, Fraction(0)) * 1000),
                    "end": round(end * 1000),
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": chapter.title} if chapter.title else {},
                }
            )
    if kept:
        output.set_chapters(kept)  # type: ignore[arg-type]
