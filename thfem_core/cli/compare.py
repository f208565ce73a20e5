"""Source and result at a few moments, in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..media.video import Video

TILE_HEIGHT = 360
GAP = 6


def side_by_side(source: Video, edited: Video, *, moments: Sequence[float]) -> np.ndarray:
    """uint8 RGB: the source in the upper row, the edited clip in the lower, one column per moment.

    moments: shares of the clip's length, 0..1.
    """
    count = source.info.frame_count or sum(1 for _ in source.frames())
    wanted = [min(round(share * count), count - 1) for share in moments]
    rows = [np.hstack([_tile(picture) for picture in _pictures(video, wanted)]) for video in (source, edited)]
    return np.vstack([rows[0], np.full((GAP, rows[0].shape[1], 3), 255, np.uint8), rows[1]])


def _pictures(video: Video, indices: Sequence[int]) -> list[np.ndarray]:
    found = {}
    for frame in video.frames():
        if frame.index in indices:
            found[frame.index] = frame.rgb()
        if frame.index >= max(indices):
            break
    last = found[max(found)]
    return [found.get(index, last) for index in indices]


def _tile(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    tile = cv2.resize(rgb, (round(width * TILE_HEIGHT / height), TILE_HEIGHT), interpolation=cv2.INTER_AREA)
    return cv2.copyMakeBorder(tile, 0, 0, GAP // 2, GAP // 2, cv2.BORDER_CONSTANT, value=(255, 255, 255))
