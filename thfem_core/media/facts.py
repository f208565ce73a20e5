"""What a media file says about itself beside its frames: tracks, chapters and tags."""

from __future__ import annotations

import struct
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
    timecode: str = ""
    """Timecode of the first frame, such as "01:02:03:04"; "" where there is none."""
    mastering_display: str = ""
    """HDR10: primaries, white point and luminance of the mastering display, as x265 writes them."""
    light_level: str = ""
    """HDR10: largest content and frame-average light level in cd/m², such as "1000,400"."""
    not_carried: tuple[str, ...] = ()
    """Properties of the pictures that no output of this package holds, by name."""


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


def _mastering_display(data: bytes) -> str:
    """AVMasteringDisplayMetadata in units of 0.00002 and 0.0001 cd/m², as H.265 and x265 have them."""
    *numbers, has_primaries, has_luminance = struct.unpack("<22i", data[:88])
    if not (has_primaries and has_luminance):
        return ""
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    values = [Fraction(numerator, denominator or 1) for numerator, denominator in pairs]
    red, green, blue, white = ([round(v * 50_000) for v in values[i : i + 2]] for i in (0, 2, 4, 6))
    low, high = (round(v * 10_000) for v in values[8:10])
    points = "".join(f"{name}({x},{y})" for name, (x, y) in zip(("G", "B", "R", "WP"), (green, blue, red, white)))  # noqa: B905
    return f"{points}L({high},{low})"


def _side_data(picture: av.VideoFrame, name: str) -> bytes | None:
    data = picture.side_data.get(name)
    return None if data is None else bytes(data)  # type: ignore[call-overload]


def read_facts(container: av.container.InputContainer, first: av.VideoFrame) -> MediaFacts:
    """Read the facts of an open file.

    Args:
        container: the file.
        first: its first picture as it was decoded.

    Returns:
        What the file says about itself.
    """
    display, light = _side_data(first, "MASTERING_DISPLAY_METADATA"), _side_data(first, "CONTENT_LIGHT_LEVEL")
    dropped = []
    if first.interlaced_frame:
        dropped.append("interlacing (both fields are written as one frame)")
    if any(_side_data(first, name) for name in ("DOVI_METADATA", "DOVI_RPU_BUFFER")):
        dropped.append("Dolby Vision")
    if _side_data(first, "DYNAMIC_HDR_PLUS"):
        dropped.append("HDR10+")
    if _side_data(first, "STEREO3D") or _side_data(first, "SPHERICAL"):
        dropped.append("the mark of 3D or 360° video")
    codes = [stream.metadata.get("timecode", "") for stream in container.streams]
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
        timecode=next(filter(None, codes), container.metadata.get("timecode", "")),
        mastering_display=_mastering_display(display) if display else "",
        light_level="{},{}".format(*struct.unpack("<2I", light[:8])) if light else "",
        not_carried=tuple(dropped),
    )
