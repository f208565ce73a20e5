"""The mouth of a person over time: in the unedited clip, from its track, and in the edited frames, fitted anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import torch

from ...face.mesh.canonical import canonical_mesh, canonical_shapes
from ...face.mesh.topology import LIPS
from ...face.models import FaceModels
from ...face.pose import HeadPose, head_pose
from ...face.tracking.edited_landmarks import EditedLandmarks
from ...face.tracking.track import FaceTrack
from ...media.frame import Frame
from .workers import side_by_side

_KERNEL = (0.25, 0.5, 0.25)  # smooths the fits of single frames over their neighbours
# Face units by which a single fit may be off. A point that departs from its smoothed place by more moves fast in truth.
_FIT_NOISE = 1.2
_LEAST_PRESENCE = 0.5  # below it the fit of an edited frame is not believed


@dataclass(frozen=True, kw_only=True)
class Mouth:
    """The face of one frame, whose lower part is the mouth. Meshes are on the canonical head, in face units.

    pose: Of the head in the unedited frame; holds one frame.
    original: float (478, 3), mesh of the unedited frame.
    edited: float (478, 3), mesh of the edited frame.
    weight: 0..1, how clearly the face of the unedited frame is seen.
    """

    pose: HeadPose
    original: np.ndarray
    edited: np.ndarray
    weight: float

    @cached_property
    def yaw(self) -> float:
        """Degrees by which the head is turned to the side, see :meth:`HeadPose.angles`."""
        return float(self.pose.angles()[0, 0])

    @cached_property
    def lip_change(self) -> np.ndarray:
        """How far the edit has moved the points of :data:`LIPS`: float (L, 3), face units."""
        lips = list(LIPS)
        return np.asarray(self.edited[lips] - self.original[lips])


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbourhood:
    """The mouths around a frame, as fitted, and how to average over them.

    mouths: R mouths of the frames within reach in which the person is seen, in order.
    weights: For each of these frames' numbers float (R,): how much every mouth counts in an average around that frame;
        falls off from the frame itself, sums to 1.
    """

    mouths: list[Mouth]
    weights: dict[int, np.ndarray]


class MouthTrack:
    """Remembers the mouths of the last frames."""

    def __init__(
        self,
        track: FaceTrack,
        models: FaceModels,
        *,
        device: torch.device,
        reach: int,
        history: int = 1,
        edited: EditedLandmarks | None = None,
    ) -> None:
        """Begin with one person.

        Args:
            track: The person in the unedited clip.
            models: Fit the mesh to edited frames.
            device: Where they run.
            reach: Frames on either side that :meth:`neighbourhood` looks at.
            history: Frames before a source that :meth:`fitted` still knows.
            edited: Landmarks of the edited frames, as far as an editor knows them: these need no fit.
        """
        self._track, self._models, self._device = track, models, device
        self._edited = edited or EditedLandmarks()
        self._reach, self._history = reach, history
        self._mouths: dict[int, Mouth | None] = {}

    def observe(self, frames: Sequence[Frame]) -> None:
        """Take note of the next edited frames; meshes that the editor does not know are fitted."""
        faces = [(frame, self._edited.take(self._track.track_id, frame.index)) for frame in frames]
        if any(known is None for _, known in faces):
            mouths = side_by_side(lambda face: self._mouth(*face), faces, self._device)
        else:
            mouths = [self._mouth(*face) for face in faces]
        for frame, mouth in zip(frames, mouths, strict=True):
            self._mouths[frame.index] = mouth

    def _mouth(self, frame: Frame, known: np.ndarray | None) -> Mouth | None:
        """Read the mouth of a frame; ``known``: landmarks (478, 3) that it shows, if the editor told them."""
        samples = self._track.samples(frame.index, frame.index + 1)
        landmarks, weight = samples.landmarks[0], float(samples.weight[0])
        if weight <= 0:
            return None
        pose = head_pose(landmarks[None], canonical_mesh())
        original = pose.to_canonical(landmarks[None])[0]
        if known is not None:
            edited = pose.to_canonical(known[None])[0]
        else:
            fit = self._models.fit(frame, [self._models.roi_from_landmarks(landmarks)])[0]
            edited = canonical_shapes(fit.landmarks[None])[0] if fit.presence > _LEAST_PRESENCE else original
        return Mouth(pose=pose, original=original, edited=edited, weight=weight)

    def forget(self, before: int, *, keep: int) -> None:
        """Drop the mouths that no later window needs.

        Args:
            before: First frame of the last window that was drawn.
            keep: The source of that window, which may be the next one's too.
        """
        needed = range(keep - self._history, keep + 2)
        oldest = before - max(self._reach + 1, self._history)
        for index in [i for i in self._mouths if i < oldest and i not in needed]:
            del self._mouths[index]

    def fitted(self, index: int) -> Mouth | None:
        """A frame's mouth as it was fitted; None where nobody is seen, and where it has been forgotten."""
        return self._mouths.get(index)

    def smoothed(self, index: int) -> Mouth | None:
        """A frame's mouth, its edited mesh smoothed over the frame before and after; None where nobody is seen.

        Points that move by more than fits are off keep most of their motion (a Wiener filter with the fits' noise).
        """
        mouth = self._mouths.get(index)
        if mouth is None:
            return None
        three = [self._mouths.get(index + step) or mouth for step in (-1, 0, 1)]
        smooth = sum(share * each.edited for share, each in zip(_KERNEL, three, strict=True))
        departure = mouth.edited - smooth
        energy = (departure[:, :2] ** 2).sum(axis=1)
        motion = np.clip(1 - _FIT_NOISE**2 / np.maximum(energy, 1e-12), 0, 1)
        return replace(mouth, edited=smooth + motion[:, None] * departure)

    def neighbourhood(self, index: int) -> Neighbourhood:
        """The mouths within reach of a frame, weighted by a raised cosine around each of them."""
        near = [i for i in range(index - self._reach, index + self._reach + 1) if self._mouths.get(i) is not None]
        weights = _raised_cosines(tuple(i - index for i in near), self._reach + 1)
        mouths = [mouth for i in near if (mouth := self._mouths[i]) is not None]
        return Neighbourhood(mouths=mouths, weights=dict(zip(near, weights, strict=True)))


@lru_cache(maxsize=128)
def _raised_cosines(places: tuple[int, ...], width: int) -> np.ndarray:
    """(R, R): in row i, weights of R places that fall from place i to 0 at a distance of ``width`` and sum to 1."""
    weights = 1 + np.cos(np.pi * np.clip(np.subtract.outer(places, places) / width, -1, 1))
    weights /= weights.sum(axis=1, keepdims=True)
    weights.flags.writeable = False
    return weights
