"""The pictures of a part of a file: upright, planar, of one size, with exact times."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

import av

from ..errors import InputError
from .decoding import decode_all
from .demux import Losses
from .source import MediaSource, open_media, source_name
from .video_stream import find_video_stream, picture_tags, stream_time_base
from .yuv.colour import ColourTags
from .yuv.conversion import reformatted, to_planar
from .yuv.pixel_format import PixelLayout
from .yuv.upright import UPRIGHT, Orientation, picture_orientation, turn_upright


@dataclass(frozen=True, kw_only=True, slots=True)
class TrimWindow:
    """Frames with ``start <= time stamp < start + duration``, in seconds of the container's clock.

    Start 0 means from the first frame, even if its time stamp is negative. Where the first frame of the file is later
    than ``start``, the duration counts from that frame. Duration None means to the end.
    """

    start: Fraction = Fraction(0)
    duration: Fraction | None = None

    def __post_init__(self) -> None:
        if self.start < 0:
            raise InputError(f"the start is {float(self.start):g} s; give 0 or more")
        if self.duration is not None and self.duration <= 0:
            raise InputError(
                f"the duration is {float(self.duration):g} s; give more than 0, or none for the whole clip"
            )

    @property
    def whole(self) -> bool:
        return not self.start and self.duration is None

    def stop(self, first: Fraction) -> Fraction | None:
        """When the window ends.

        Args:
            first: time stamp of the first picture that was decoded, in seconds of the container's clock.

        Returns:
            The first moment after the window, in seconds of the container's clock; None = open end.
        """
        if self.duration is None:
            return None
        return (max(self.start, first) if self.start else first) + self.duration


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodedPicture:
    """A picture and what is known of it."""

    ticks: int
    """Presentation time in units of the stream's time base, strictly rising."""
    stop: Fraction | None
    """End of the window that it is from, in seconds of the container's clock; None = open end."""
    raw: av.VideoFrame
    """As the decoder gave it."""
    picture: av.VideoFrame
    """Planar and upright."""
    layout: PixelLayout
    tags: ColourTags


def decode_pictures(
    media: MediaSource, window: TrimWindow, losses: Losses | None = None
) -> Generator[DecodedPicture, None, None]:
    """Decode the pictures of a file.

    Args:
        media: path or bytes of the file.
        window: which part to decode.
        losses: is counted up by what cannot be read or decoded.

    Returns:
        Upright planar pictures, all of the first one's size and format. Every pass gives the same ones.

    Raises:
        InputError: the file cannot be opened or has no pictures.
    """
    with open_media(media) as container:
        time_base = stream_time_base(find_video_stream(container, source_name(media)))
    start = int(window.start / time_base) if window.start else None
    stop: Fraction | None = None
    shape: tuple[int, int, str] | None = None
    orientation: Orientation | None = None
    with closing(decode_all(media, start, losses or Losses())) as pictures:
        for ticks, raw, stream in pictures:
            picture = raw
            if stop is None:  # the first picture
                stop = window.stop(ticks * time_base)
            if start is not None and ticks < start:
                continue
            if stop is not None and ticks >= int(stop / time_base):
                return
            if shape is None:
                shape = (picture.width, picture.height, picture.format.name)
                orientation = picture_orientation(picture)
            elif (picture.width, picture.height, picture.format.name) != shape:
                picture = reformatted(picture, *shape)
            tags = picture_tags(picture, stream)
            planar, layout = to_planar(picture)
            upright, layout = turn_upright(planar, layout, tags, orientation or UPRIGHT)
            yield DecodedPicture(ticks=ticks, stop=stop, raw=raw, picture=upright, layout=layout, tags=tags)
