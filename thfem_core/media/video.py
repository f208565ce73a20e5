"""A clip that can be read more than once: a stream of frames, and the sound that belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from .facts import MediaFacts
from .frame import Frame
from .sound import Sound
from .source import MediaSource
from .yuv.colour import ColourTags


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoInfo:
    """What is known of a clip before decoding it."""

    name: str
    """What messages call the clip: a file name, or "images"."""
    width: int
    """Pixels, upright (rotation stored by cameras is applied)."""
    height: int
    """Pixels, upright."""
    frame_rate: Fraction
    """Average frames per second."""
    frame_count: int | None
    """Frames by the container's claim, or estimated from the duration; None if neither is known."""
    duration: Fraction | None
    """Seconds; None if the container does not say."""
    has_sound: bool
    """Whether a sound belongs to the clip."""
    bit_depth: int = 8
    """Significant bits of a sample."""
    time_base: Fraction | None = None
    """Seconds per tick of the clip's time stamps; None for clips of constant rate, whose tick is one frame."""
    pixel_aspect: Fraction | None = None
    """Width of a pixel divided by its height, upright; None where the file does not say (then pixels are square)."""
    colour: ColourTags = field(default_factory=ColourTags)
    """Colour tags of the first frame."""
    is_still: bool = False
    """Whether it is one picture, which has no time of its own."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SourceFile:
    """The file that a clip is read from, for a writer that takes over the file's own tracks and tags."""

    media: MediaSource
    """Path or bytes of the file."""
    start: Fraction
    """Start of the part that is used, in seconds of the file's clock; 0 = from its first frame on."""
    stop: Fraction | None
    """End of the part that is used, in seconds of the file's clock; None = to the end."""
    origin: Fraction
    """Time stamp of frame 0, in seconds of the file's clock."""
    facts: MediaFacts
    """What the file says about itself."""


class Video(Protocol):
    """A clip that can be read more than once: tracking is a first pass over it, editing a second.

    Every pass opens the source anew and is independent of the others; nothing stays open in between.
    """

    @property
    def info(self) -> VideoInfo:
        """What is known before decoding."""
        ...

    @property
    def source(self) -> SourceFile | None:
        """The file behind the clip; None for pictures in memory or in a folder."""
        ...

    def frames(self, *, warn: Callable[[str], None] | None = None) -> Generator[Frame, None, None]:
        """Start a pass over the pictures.

        Args:
            warn: is told in one line, at the end of the pass, which frames could not be read; None tells nobody.

        Returns:
            Frames in presentation order, index from 0, time from 0 s. Closing the generator frees its files.
        """
        ...

    def sound_blocks(self, *, warn: Callable[[str], None] | None = None) -> Generator[Sound, None, None]:
        """Start a pass over the sound, in step with the frames.

        Args:
            warn: is told in one line why a clip that has sound yields none; by default the line is logged.

        Returns:
            Blocks of one rate and layout, back to back; the first sample is heard when frame 0 is seen. Empty for a
            clip without sound. Closing the generator frees its files.
        """
        ...
