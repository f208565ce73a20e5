"""Clips of moving canonical faces and networks that see exactly them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.models import Detection, FaceRoi, MeshFit
from thfem_core.face.tracking.association import landmark_box
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.video import VideoInfo

WIDTH, HEIGHT = 320, 180


@dataclass(frozen=True)
class Face:
    """Where a face is in one frame: centre between the eyes, pixels per canonical unit, yaw in degrees; depth orders
    faces that hide each other (small = near)."""

    x: float
    y: float
    scale: float = 0.3
    yaw: float = 0.0
    depth: float = 1.0

    def landmarks(self) -> np.ndarray:
        a = np.radians(self.yaw)
        turn = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
        return (self.scale * canonical_mesh() @ turn.T + (self.x, self.y, 0)).astype(np.float32)


Motion = Callable[[int], Face | None]


@dataclass
class Scene:
    """``people`` map a frame number to a face or None; ``shots`` are the first frames of the shots after the first."""

    people: Sequence[Motion]
    count: int = 60
    shots: Sequence[int] = ()
    noise: float = 0.0
    rate: Fraction = Fraction(25)

    @property
    def info(self) -> VideoInfo:
        return VideoInfo(
            name="scene.mp4",
            width=WIDTH,
            height=HEIGHT,
            frame_rate=self.rate,
            frame_count=self.count,
            duration=self.count / self.rate,
            has_sound=False,
        )

    def picture(self, index: int) -> np.ndarray:
        return background(sum(index >= cut for cut in self.shots))

    def frames(self) -> Iterator[ArrayFrame]:
        for index in range(self.count):
            yield ArrayFrame(index=index, time=index / self.rate, pixels=self.picture(index))

    def faces(self, index: int) -> list[tuple[int, Face]]:
        """Visible faces, nearest first; one that is mostly covered is not seen."""
        here = [(i, face) for i, person in enumerate(self.people) if (face := person(index)) is not None]
        seen: list[tuple[int, Face]] = []
        for i, face in sorted(here, key=lambda item: item[1].depth):
            if all(np.hypot(face.x - o.x, face.y - o.y) > 60 * o.scale for _, o in seen):
                seen.append((i, face))
        return seen


def background(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


class SceneModels:
    """A perfect detector and mesh for a :class:`Scene`; counts the searches."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.searches: list[int] = []

    def detect(self, frame) -> list[Detection]:
        self.searches.append(frame.index)
        keypoints = np.zeros((6, 2), np.float32)
        return [
            Detection(box=landmark_box(face.landmarks()), keypoints=keypoints, score=0.9)
            for _, face in self.scene.faces(frame.index)
        ]

    def roi_from_detection(self, detection: Detection) -> FaceRoi:
        return self._roi(detection.box)

    def upright(self, frame, roi: FaceRoi) -> FaceRoi:
        return roi

    def roi_from_landmarks(self, landmarks: np.ndarray) -> FaceRoi:
        return self._roi(landmark_box(landmarks))

    def _roi(self, box) -> FaceRoi:
        x0, y0, x1, y1 = box
        return FaceRoi(cx=(x0 + x1) / 2, cy=(y0 + y1) / 2, side=1.5 * max(x1 - x0, y1 - y0), rotation=0.0)

    def fit(self, frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        return [self._fit(frame.index, roi) for roi in rois]

    def fit_roughly(self, frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        return self.fit(frame, rois)

    def refined(self, fits: Sequence[MeshFit]) -> list[np.ndarray]:
        return [fit.landmarks for fit in fits]

    def _fit(self, index: int, roi: FaceRoi) -> MeshFit:
        best, best_distance = None, 0.45 * roi.side
        for _, face in self.scene.faces(index):
            mesh = face.landmarks()
            x0, y0, x1, y1 = landmark_box(mesh)
            distance = np.hypot((x0 + x1) / 2 - roi.cx, (y0 + y1) / 2 - roi.cy)
            if distance < best_distance:
                best, best_distance = mesh, distance
        if best is None:
            return MeshFit(landmarks=np.zeros((478, 3), np.float32), presence=0.0)
        noise = np.random.default_rng([index, 7]).normal(0, 1, best.shape).astype(np.float32) * self.scene.noise
        return MeshFit(landmarks=best + noise, presence=0.99)


def still(x: float, y: float = 70, **more) -> Motion:
    return lambda frame: Face(x, y, **more)


def seen_in(motion: Motion, *visible: range) -> Motion:
    return lambda frame: motion(frame) if any(frame in r for r in visible) else None
