"""One face on its way through a clip: what covers it, made steady over time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..crop import FaceCrop
from ..tracking.track import FaceTrack
from .cover import FIELD, FaceCover, make_cover
from .face_mask import FaceMask
from .parts import PARTS, CoveredParts, covered_share, left_alone
from .steady import SteadyMask

_BLOCK = 32  # tracked frames read at once


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Place:
    """One face in one frame.

    crop: Its square.
    cover: What is in front of it, if anything.
    mouth: Share of the mouth that is covered.
    """

    crop: FaceCrop
    cover: FaceCover | None
    mouth: float


class FollowedFace:
    """Follows one face from frame to frame.

    track_id: Of the face.
    left: Parts of the face that were left alone in the frame taken last.
    """

    def __init__(self, track: FaceTrack, frame_rate: Fraction, *, steady: bool) -> None:
        """Start.

        Args:
            track: The face.
            frame_rate: Frames per second.
            steady: Whether its masks are steady over time already.
        """
        self.track_id = track.track_id
        self.left: set[str] = set()
        self._track = track
        self._mask = None if steady else SteadyMask(frame_rate)
        self._parts = CoveredParts(frame_rate)
        self._last = -1
        self._start = self._stop = 0

    def landmarks(self, index: int) -> np.ndarray | None:
        """Read the landmarks of a frame.

        Args:
            index: Number of the frame.

        Returns:
            (478, 3) in pixels; None where the face is not edited.
        """
        if not self._track.first_frame <= index < self._track.stop_frame:
            return None
        if not self._start <= index < self._stop:
            self._start, self._stop = index, min(index + _BLOCK, self._track.stop_frame)
            self._samples = self._track.samples(self._start, self._stop)
        row = index - self._start
        return self._samples.landmarks[row] if self._samples.weight[row] > 0 else None

    def take(self, index: int, mask: FaceMask) -> Place:
        """Go on to a frame in which the face is edited.

        Args:
            index: Number of the frame.
            mask: What covers the face there.

        Returns:
            The face in that frame.
        """
        landmarks = self.landmarks(index)
        assert landmarks is not None
        if index != self._last + 1:
            self._parts.restart()
            if self._mask is not None:
                self._mask.restart()
        self._last = index
        covered = mask.covered if self._mask is None else self._mask.push(mask.covered)
        points = mask.crop.to_crop(landmarks[:, :2], len(covered))
        amounts = self._parts.push(covered, points)
        self.left = {name for name, amount in amounts.items() if amount >= 0.5}
        left = left_alone(amounts, mask.crop.to_crop(landmarks[:, :2], FIELD), FIELD) if amounts else None
        cover = make_cover(mask.crop, covered, left)
        mouth = 0.0 if cover is None else covered_share(PARTS["mouth"], covered, points)
        return Place(crop=mask.crop, cover=cover, mouth=mouth)
