"""A canonical face that turns, talks and blinks: a track without any picture or network."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from thfem_core.face.mesh.basis import load_basis
from thfem_core.face.tracking.track import FaceSamples
from thfem_core.media.array_frame import ArrayFrame

SIZE = 256
RATE = Fraction(25)


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Degrees → 3×3; yaw about y, pitch about x, roll about z."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def talking_face(frames: int, *, smile: float = 0.0, angle: float = 12.0, scale: float = 0.9) -> np.ndarray:
    """(T, 478, 3) pixels in a SIZE² picture: the jaw opens and shuts, the head sways by ``angle`` degrees."""
    basis = load_basis()
    jaw = basis.action_units[basis.index("jawOpen")] + 0.0
    smiling = basis.action_units[basis.index("mouthSmile")]
    shapes = []
    for t in range(frames):
        shape = basis.canonical + 0.2 * (1 + np.sin(0.9 * t)) * jaw + smile * smiling
        turned = shape @ rotation(angle * np.sin(0.3 * t), 4 * np.cos(0.2 * t), 5 * np.sin(0.17 * t)).T
        shapes.append(scale * turned + [SIZE / 2 + t % 5, SIZE * 0.42, 0])
    return np.array(shapes, np.float32)


class MadeUpTrack:
    """A :class:`FaceTrack` over given landmarks (T, 478, 3), present from ``first_frame`` on."""

    track_id = 0

    def __init__(self, landmarks: np.ndarray, first_frame: int = 0, weight: float = 1.0) -> None:
        self.first_frame, self.stop_frame = first_frame, first_frame + len(landmarks)
        self._landmarks, self._weight = landmarks, weight

    def samples(self, start: int, stop: int) -> FaceSamples:
        count = stop - start
        landmarks = np.full((count, 478, 3), np.nan, np.float32)
        weight = np.zeros(count, np.float32)
        for row, frame in enumerate(range(start, stop)):
            if self.first_frame <= frame < self.stop_frame:
                landmarks[row] = self._landmarks[frame - self.first_frame]
                weight[row] = self._weight
        return FaceSamples(first_frame=start, landmarks=landmarks, weight=weight, yaw=np.zeros(count, np.float32))


def textured_frames(count: int) -> list[ArrayFrame]:
    """Smoothly textured pictures, so that a warp shows."""
    y, x = np.mgrid[:SIZE, :SIZE]
    frames = []
    for t in range(count):
        channels = [127 + 60 * np.sin(x / (7 + c) + c + 0.1 * t) * np.cos(y / (9 - c)) for c in range(3)]
        frames.append(ArrayFrame(index=t, time=t / RATE, pixels=np.stack(channels, axis=2).astype(np.uint8)))
    return frames
