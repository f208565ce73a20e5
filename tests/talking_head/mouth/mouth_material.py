"""A made-up person: a track, a textured picture around it, and models that see what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch

from thfem_core.face.mesh.basis import load_basis
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.mesh.lip_aperture import lip_aperture_operator
from thfem_core.face.models import FaceRoi, MeshFit
from thfem_core.face.pose import HeadPose, head_pose
from thfem_core.face.tracking.track import FaceSamples
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.frame import Frame
from thfem_core.talking_head.mouth.motion import MotionNet
from thfem_core.talking_head.mouth.mouth_track import Mouth

SIDE = 256
PLACE = (128.0, 88.0)  # of the canonical origin in the picture
SCALE = 0.9


def opened(amount: float) -> np.ndarray:
    """(478, 3) canonical face whose jaw is dropped by ``amount``, 0..1."""
    basis = load_basis()
    return canonical_mesh() + amount * basis.action_units[basis.index("jawOpen")]


def shut() -> np.ndarray:
    """(478, 3) canonical face whose lips meet."""
    return lip_aperture_operator() @ canonical_mesh()


def pose(*, roll: float = 0.0, yaw: float = 0.0, at: tuple[float, float] = PLACE, scale: float = SCALE) -> HeadPose:
    """One frame's head pose, degrees as in :mod:`thfem_core.face.pose`."""
    r, y = np.radians([roll, yaw])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    return HeadPose(scale=np.array([scale]), rotation=(about_y @ about_z)[None], translation=np.array([[*at, 0.0]]))


def mouth(shape: np.ndarray, head: HeadPose) -> Mouth:
    return Mouth(pose=head, original=shape, edited=shape, weight=1.0)


def texture(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Smooth colours of any points of the plane, (..., 3) uint8."""
    waves = [127 + 60 * np.sin(x / (7 + c) + c) * np.cos(y / (9 - c)) for c in range(3)]
    return np.stack(waves, axis=-1).round().astype(np.uint8)


def picture(index: int = 0, rate: Fraction = Fraction(25), *, width: int = SIDE, height: int = SIDE) -> ArrayFrame:
    y, x = np.mgrid[:height, :width] + 0.5
    return ArrayFrame(index=index, time=index / rate, pixels=texture(x, y))


class Person:
    """A track of shapes (478, 3; face units), upright in the picture's middle, and what an editor made of them.

    Is also the :class:`FaceModels` that fits the edited shapes, with ``presence``.
    """

    track_id, first_frame = 0, 0

    def __init__(
        self,
        original: Sequence[np.ndarray],
        edited: Sequence[np.ndarray] | None = None,
        *,
        weights: Sequence[float] = (),
    ) -> None:
        self.original, self.edited = list(original), list(edited if edited is not None else original)
        self.weights = list(weights) or [1.0] * len(self.original)
        self.stop_frame = len(self.original)
        self.presence = 1.0

    def landmarks(self, shape: np.ndarray) -> np.ndarray:
        return pose().to_image(shape[None])[0].astype(np.float32)

    def samples(self, start: int, stop: int) -> FaceSamples:
        landmarks = np.full((stop - start, 478, 3), np.nan, np.float32)
        weight = np.zeros(stop - start, np.float32)
        for row, index in enumerate(range(start, stop)):
            if 0 <= index < self.stop_frame and self.weights[index] > 0:
                landmarks[row], weight[row] = self.landmarks(self.original[index]), self.weights[index]
        return FaceSamples(first_frame=start, landmarks=landmarks, weight=weight, yaw=np.zeros(len(weight), np.float32))

    def detect(self, frame: Frame) -> list:
        raise AssertionError("the track says where the face is")

    def roi_from_landmarks(self, landmarks: np.ndarray) -> FaceRoi:
        return FaceRoi(cx=0.0, cy=0.0, side=1.0, rotation=0.0)

    def fit(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        return [MeshFit(landmarks=self.landmarks(self.edited[frame.index]), presence=self.presence) for _ in rois]

    def fit_roughly(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        return self.fit(frame, rois)

    def refined(self, fits: Sequence[MeshFit]) -> list[np.ndarray]:
        return [fit.landmarks for fit in fits]


def canonical(shape: np.ndarray) -> np.ndarray:
    """A shape as the session sees it: head pose fitted and taken out, (478, 3)."""
    return head_pose(shape[None], canonical_mesh()).to_canonical(shape[None])[0]


def lively_motion(seed: int = 0) -> MotionNet:
    """A motion network that has learnt nothing but moves the mouth much."""
    torch.manual_seed(seed)
    net = MotionNet()
    with torch.no_grad():
        net.heads.weight.mul_(8)
    return net.eval().requires_grad_(False)
