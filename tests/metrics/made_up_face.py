"""A made-up talking face: enough geometry for the measures, no file needed."""

from __future__ import annotations

import numpy as np

from thfem_core.face.mesh.topology import FACE_OVAL, INNER_LIP_PAIRS, OUTER_EYE_CORNERS


def talking_face(frames: int, *, seed: int = 0) -> np.ndarray:
    """(frames, 478, 3) pixels: fixed random points, an oval outline, lips that open and close, a nodding head."""
    rng = np.random.default_rng(seed)
    face = np.broadcast_to(rng.uniform(80, 180, (478, 3)), (frames, 478, 3)).copy()
    angles = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    face[:, FACE_OVAL, 0] = 128 + 70 * np.sin(angles)
    face[:, FACE_OVAL, 1] = 128 - 90 * np.cos(angles)
    for point, x in zip(OUTER_EYE_CORNERS, (85.0, 171.0), strict=True):
        face[:, point, :2] = x, 105.0
    gap = 6.0 + 6.0 * np.sin(0.9 * np.arange(frames))
    for upper, lower in INNER_LIP_PAIRS:
        x = face[0, upper, 0]
        face[:, upper, 0] = face[:, lower, 0] = x
        face[:, upper, 1], face[:, lower, 1] = 165 - gap / 2, 165 + gap / 2
    face[..., 1] += 2.0 * np.sin(0.3 * np.arange(frames))[:, None]
    return face


def moved(face: np.ndarray, angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    """The same face in another camera: turned in the picture by ``angle`` radians, scaled, shifted."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    result = face * scale
    result[..., :2] = scale * face[..., :2] @ turn.T + np.array(shift)
    return result
