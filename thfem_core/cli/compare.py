"""Source and results at a few moments, in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from ..media.frame import Box
from ..media.video import Video

TILE_HEIGHT = 300
GAP = 6
CHANGED = 24  # of 255: less is noise of the encoder
MARGIN = 0.1  # of the changed region's size, on each side


def side_by_side(source: Video, edited: Mapping[str, Video], *, moments: Sequence[float]) -> np.ndarray:
    """Put moments of clips together; only the neighbourhood of what changed is shown.

    Args:
        source: Shown in the first row.
        edited: Title → clip, a row each below.
        moments: Shares of the clip's length, 0..1, a column each.

    Returns:
        uint8 RGB (H, W, 3).
    """
    count = source.info.frame_count or sum(1 for _ in source.frames())
    numbers = [min(round(share * count), count - 1) for share in moments]
    rows = {"source": _pictures(source, numbers)} | {name: _pictures(clip, numbers) for name, clip in edited.items()}
    box = _changed_region(list(rows.values()))
    return np.vstack(
        [
            _row(name, [picture[box.y0 : box.y1, box.x0 : box.x1] for picture in pictures])
            for name, pictures in rows.items()
        ]
    )


def _pictures(video: Video, indices: Sequence[int]) -> list[np.ndarray]:
    found: dict[int, np.ndarray] = {}
    for frame in video.frames():
        if frame.index in indices:
            found[frame.index] = frame.rgb()
        if frame.index >= max(indices):
            break
    last = found[max(found)]
    return [found.get(index, last) for index in indices]


def _changed_region(rows: Sequence[Sequence[np.ndarray]]) -> Box:
    height, width = rows[0][0].shape[:2]
    changed = np.zeros((height, width), bool)
    for row in rows[1:]:
        for before, after in zip(rows[0], row, strict=True):
            changed |= cv2.absdiff(before, after).max(axis=2) > CHANGED
    if not changed.any():
        return Box(0, 0, width, height)
    x, y, w, h = cv2.boundingRect(changed.astype(np.uint8))
    side = round(max(w, h) * (1 + 2 * MARGIN))
    x0, y0 = x + (w - side) // 2, y + (h - side) // 2
    return Box(x0, y0, x0 + side, y0 + side).clipped(width, height)


def _row(name: str, pictures: Sequence[np.ndarray]) -> np.ndarray:
    row = np.hstack([_tile(picture) for picture in pictures])
    for colour, thickness in (((0, 0, 0), 5), ((255, 255, 255), 2)):
        cv2.putText(row, name, (12, 32), cv2.FONT_HERSHEY_SIMPLEX, 0.9, colour, thickness, cv2.LINE_AA)
    return row


def _tile(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    size = max(round(width * TILE_HEIGHT / height), 1), TILE_HEIGHT
    tile = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if height > TILE_HEIGHT else cv2.INTER_CUBIC)
    return cv2.copyMakeBorder(tile, 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, value=(255, 255, 255))
