"""Where the expression that LivePortrait draws comes from: sliders, or another person's face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from torch import Tensor

from ...errors import InputError
from ...face.tracking.track import FaceTrack
from ...networks.liveportrait.drawing import FaceDrawer
from ...networks.liveportrait.keypoints import FaceMotion
from ...networks.liveportrait.reading import read_faces
from ...networks.liveportrait.regions import LIP_ROWS
from ..request import ExpressionRequest, ReferenceClip
from ..sliders import load_sliders
from .sliders import SliderOffset, slider_offset

LEAST_WIDTH = 48  # pixels of a face's larger side, below which LivePortrait has nothing to work with


def requested_sliders(request: ExpressionRequest, *, emotion: bool = True) -> SliderOffset:
    """What emotion and sliders of a request add, together.

    Args:
        request: What is asked for.
        emotion: Whether the emotion is shown by its preset of sliders; "neutral" has none.

    Returns:
        The offsets.
    """
    values: dict[str, float] = {}
    if emotion and request.emotion not in (None, "neutral"):
        values |= load_sliders(str(request.emotion)).values
    if request.sliders is not None:
        values |= request.sliders.values
    return slider_offset(values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """The face of a reference, frame by frame.

    motion: Its N frames.
    frame_rate: Of the reference.
    """

    motion: FaceMotion
    frame_rate: Fraction

    @property
    def single(self) -> bool:
        """Whether it is one picture."""
        return len(self.motion.scale) == 1

    @property
    def first(self) -> FaceMotion:
        return self.motion.rows([0])

    @property
    def mean_lips(self) -> Tensor:
        """(6, 3): the lips' mean expression."""
        return self.motion.expression[:, LIP_ROWS].mean(dim=0)

    def at(self, seconds: float) -> int:
        """The number of the frame at a time; after the end it goes back and forth."""
        count = len(self.motion.scale)
        number = round(seconds * float(self.frame_rate)) % (2 * count)
        return min(number, 2 * count - 1 - number)


def read_driver(reference: ReferenceClip, drawer: FaceDrawer) -> Driver:
    """Read the face of a reference.

    Args:
        reference: Clip or picture, and the face in it.
        drawer: Reads keypoints.

    Returns:
        Its frames from the first to the last in which the face is clearly seen; ones in between are not left out.

    Raises:
        InputError: The face is nowhere clearly seen, or too small.
    """
    track, rate = reference.track, reference.video.info.frame_rate
    assert track is not None, "an edit looks for the face of its reference"
    samples = track.samples(track.first_frame, track.stop_frame)
    clear = np.flatnonzero(samples.weight > 0)
    name = reference.video.info.name
    if not len(clear):
        raise InputError(f"the face in {name} is turned too far or cut off; give a reference that shows it clearly")
    first, stop = track.first_frame + int(clear[0]), track.first_frame + int(clear[-1]) + 1
    check_width(track, first, name)
    return Driver(motion=read_faces(reference.video, track, drawer, range(first, stop)), frame_rate=rate)


def check_width(track: FaceTrack, frame: int, name: str) -> None:
    """Raises InputError if the face is too small in a frame in which it is present."""
    if (width := face_width(track, [frame])) is not None and width < LEAST_WIDTH:
        raise InputError(
            f"the face in {name} is only {width:.0f} pixels wide; LivePortrait needs {LEAST_WIDTH}: give a larger "
            "picture, or use --editor mesh"
        )


def face_width(track: FaceTrack, frames: Sequence[int]) -> float | None:
    """Median width in pixels of a face's larger extent over frames; None where it is in none of them."""
    widths = []
    for frame in frames:
        landmarks = track.samples(frame, frame + 1).landmarks[0]
        if not np.isnan(landmarks[0, 0]):
            widths.append(np.ptp(landmarks[:, :2], axis=0).max())
    return float(np.median(widths)) if widths else None
