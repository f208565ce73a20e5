"""Pictures for the eyes: rows of the same moments in several versions of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np


def face_window(landmarks: np.ndarray, size: tuple[int, int], *, margin: float = 0.45) -> tuple[int, int, int, int]:
    """A square around the face with hair and neck: (478, 2|3) pixels, size (width, height) → x0, y0, x1, y1."""
    low, high = landmarks[:468, :2].min(axis=0), landmarks[:468, :2].max(axis=0)
    centre, half = (low + high) / 2, float((high - low).max()) * (0.5 + margin)
    x0, y0 = (max(0, int(v)) for v in centre - half)
    return x0, y0, min(size[0], int(centre[0] + half)), min(size[1], int(centre[1] + half))


def tile(image: np.ndarray, landmarks: np.ndarray | None, side: int, text: str = "") -> np.ndarray:
    """The face window of an image (or all of it) as a (side, side, 3) tile on gray, with a caption."""
    if landmarks is not None and np.isfinite(landmarks[0, 0]):
        x0, y0, x1, y1 = face_window(landmarks, (image.shape[1], image.shape[0]))
        image = image[y0:y1, x0:x1]
    scale = side / max(image.shape[:2])
    shown = cv2.resize(
        image,
        (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))),
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    )
    canvas = np.full((side, side, 3), 96, np.uint8)
    canvas[: shown.shape[0], : shown.shape[1]] = shown
    if text:
        canvas[side - 22 :] //= 3
        cv2.putText(canvas, text, (5, side - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return canvas


def save_strip(path: Path, rows: Sequence[Sequence[np.ndarray]]) -> None:
    """Write tiles of equal size as one PNG, row by row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.vstack([np.hstack(list(row)) for row in rows])
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
