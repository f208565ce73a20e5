"""What a media file says about itself beside its frames: tracks, chapters and tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.stream import Disposition

_CHAPTER_TITLE = "title"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackFacts:
    """One track of a media file."""

    index: int
    """Its number in the file, from 0."""
    kind: str
    """"video", "audio", "subtitle", "data" or "attachment", as libav calls it."""
    codec: str
    """libav's name of the codec; "" where this installation cannot decode it."""
    is_default: bool = False
    """Whether players choose it when nobody asks for another."""
    is_cover: bool = False
    """Whether it is a still cover picture rather than moving pictures."""
    language: str = ""
    """ISO 639 code; "" where the file does not say."""
    title: str = ""
    """Title of the track; "" where it has none."""
    channels: str = ""
    """Channel layout of a sound track, such as "stereo" or "5.1"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chapter:
    """A named stretch of a file, in seconds of its clock."""

    start: Fraction
    end: Fraction
    title: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaFacts:
    """What a file is, for a writer to take over or to report as dropped."""

    container: str
    """libav's name of the demuxer, such as "mov,mp4,m4a,3gp,3g2,mj2"."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Tags of the whole file."""
    tracks: tuple[TrackFacts, ...] = ()
    """All tracks, in the order of the file."""
    chapters: tuple[Chapter, ...] = ()
    """All chapters, in order."""


def is_cover(stream: av.stream.Stream) -> bool:
    """Whether a video stream is a still cover picture."""
    return bool(stream.disposition & Disposition.attached_pic)


def _track(stream: av.stream.Stream) -> TrackFacts:
    context = stream.codec_context if stream.type in ("video", "audio", "subtitle") else None
    layout = getattr(context, "layout", None)
    return TrackFacts(
        index=stream.index,
        kind=stream.type or "data",
        codec=context.name if context is not None else "",
        is_default=bool(stream.disposition & Disposition.default),
        is_cover=is_cover(stream),
        language=stream.metadata.get("language", ""),
        title=stream.metadata.get("title", ""),
        channels=layout.name if layout is not None else "",
    )


def read_facts(container: av.container.InputContainer) -> MediaFacts:
    """Read the facts of an open file; nothing is decoded."""
    chapters = [
        Chapter(
            start=each["start"] * (each["time_base"] or Fraction(1)),
            end=each["end"] * (each["time_base"] or Fraction(1)),
            title=each["metadata"].get(_CHAPTER_TITLE, ""),
        )
        for each in container.chapters()
    ]
    return MediaFacts(
        container=container.format.name,
        metadata=dict(container.metadata),
        tracks=tuple(map(_track, container.streams)),
        chapters=tuple(chapters),
    )
