"""The mouth of a person over time: in the unedited clip, from its track, and in the edited frames, fitted anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from ...face.mesh.canonical import canonical_mesh, canonical_shapes
from ...face.models import FaceModels
from ...face.pose import HeadPose, head_pose
from ...face.tracking.track import FaceTrack
from ...media.frame import Frame
from .coefficients import MouthBasis
from .motion import FRAME_RATE
from .workers import side_by_side

_BLOCK = 64
# The three-frame kernel that calms fits of single frames, and what a fit may be off by (face units): what departs by
# more is fast motion, and kept.
_SMOOTH = (0.25, 0.5, 0.25)
_NOISE = 1.2
_LEAST_PRESENCE = 0.5
_STILL = 0.02  # spread of all coefficients (face units) below which the clip is one picture


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """How a person speaks in the clip. mean: (K,) mouth coefficients, face units. manner: (2K,) input of the motion
    network. still: nothing ever moves, so nothing is known of how they speak."""

    mean: np.ndarray
    manner: np.ndarray
    still: bool


def _blocks(track: FaceTrack) -> Iterator[np.ndarray]:
    for start in range(track.first_frame, track.stop_frame, _BLOCK):
        samples = track.samples(start, min(start + _BLOCK, track.stop_frame))
        yield samples.landmarks[samples.weight > 0]


def manner_of(mouths: np.ndarray, frame_rate: Fraction = FRAME_RATE) -> np.ndarray:
    """(2K,) float32: logarithm of the spread of coefficients (T, K; over the basis' spread) and of their speed, per
    frame of the motion network."""
    step = np.diff(mouths, axis=0) if len(mouths) > 1 else np.zeros_like(mouths)
    speed = step.std(axis=0) * float(frame_rate / FRAME_RATE)
    return np.log(np.concatenate([mouths.std(axis=0), speed]) + 0.05).astype(np.float32)


def read_manner(track: FaceTrack, basis: MouthBasis, frame_rate: Fraction) -> Manner:
    """Read a whole track, a block at a time. Where nobody is seen, or nothing ever moves, speech is the average
    person's."""
    mouths = [basis.read(canonical_shapes(block)) for block in _blocks(track) if len(block)]
    rows = np.concatenate(mouths) if mouths else np.zeros((1, basis.size), np.float32)
    still = bool(rows.std(axis=0).max() < _STILL)
    manner = manner_of(rows / basis.spread, frame_rate)
    return Manner(mean=rows.mean(axis=0), manner=np.zeros_like(manner) if still else manner, still=still)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mouth:
    """One frame. pose: of the head, T = 1. original: (478, 3) face units, of the unedited clip. edited: the same of
    the edited frame. weight: 0..1, how clearly the original is seen."""

    pose: HeadPose
    original: np.ndarray
    edited: np.ndarray
    weight: float


class ObservedMouths:
    """Remembers the last frames' mouths. A frame's edited mouth is calm once the frame after it has been seen.

    reach: frames on either side that :meth:`around` looks at. history: before a source, that :meth:`as_fitted` knows.
    """

    def __init__(
        self, track: FaceTrack, models: FaceModels, *, device: torch.device, reach: int, history: int = 1
    ) -> None:
        self._track, self._models, self._device = track, models, device
        self._reach, self._history = reach, history
        self._rows: dict[int, Mouth | None] = {}

    def observe(self, frames: Sequence[Frame]) -> None:
        """Fit the mesh to edited frames, which come in order."""
        for frame, mouth in zip(frames, side_by_side(self._fitted, frames, self._device), strict=True):
            self._rows[frame.index] = mouth

    def _fitted(self, frame: Frame) -> Mouth | None:
        samples = self._track.samples(frame.index, frame.index + 1)
        landmarks, weight = samples.landmarks[0], float(samples.weight[0])
        if weight <= 0:
            return None
        fit = self._models.fit(frame, [self._models.roi_from_landmarks(landmarks)])[0]
        pose = head_pose(landmarks[None], canonical_mesh())
        original = pose.to_canonical(landmarks[None])[0]
        edited = canonical_shapes(fit.landmarks[None])[0] if fit.presence > _LEAST_PRESENCE else original
        return Mouth(pose=pose, original=original, edited=edited, weight=weight)

    def forget(self, before: int, *, keep: int) -> None:
        """Drop what windows from frame ``before`` on do not need; ``keep``: their source, however old."""
        needed = range(keep - self._history, keep + 2)
        oldest = before - max(self._reach + 1, self._history)
        for index in [i for i in self._rows if i < oldest and i not in needed]:
            del self._rows[index]

    def at(self, index: int) -> Mouth | None:
        """A frame's mouth, the edited one calmed over its neighbours; None where nobody is seen."""
        here = self._rows.get(index)
        if here is None:
            return None
        rows = [self._rows.get(index + step) or here for step in (-1, 0, 1)]
        edited = sum(share * row.edited for share, row in zip(_SMOOTH, rows, strict=True))
        departure = here.edited - edited
        energy = (departure[:, :2] ** 2).sum(axis=1)
        edited = edited + np.clip(1 - _NOISE**2 / np.maximum(energy, 1e-12), 0, 1)[:, None] * departure
        return Mouth(pose=here.pose, original=here.original, edited=edited, weight=here.weight)

    def as_fitted(self, index: int) -> Mouth | None:
        """A frame's mouth, not calmed; None where nobody is seen, and where it has been forgotten."""
        return self._rows.get(index)

    def around(self, index: int) -> tuple[list[Mouth], dict[int, np.ndarray]]:
        """The mouths of the frames within reach, in order, as fitted; and for each frame's number how much the mouths
        count around it: most its own, sum 1."""
        reach = self._reach
        near = [i for i in range(index - reach, index + reach + 1) if self._rows.get(i) is not None]
        share = 1 + np.cos(np.pi * np.clip(np.subtract.outer(near, near) / (reach + 1), -1, 1))
        share /= share.sum(axis=1, keepdims=True)
        return [row for i in near if (row := self._rows[i]) is not None], dict(zip(near, share, strict=True))
