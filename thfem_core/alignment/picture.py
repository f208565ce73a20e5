"""A picture of a warping path, to judge an alignment by eye."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial.distance import cdist

from .clips import Alignment

_PATH, _EVEN, _INK, _PAPER = (255, 255, 255), (110, 110, 110), (40, 40, 40), (250, 250, 250)
_LEFT, _TOP, _BOTTOM = 44, 24, 28  # room for words and numbers, pixels


def path_picture(alignment: Alignment, *, size: int = 512) -> np.ndarray:
    """uint8 RGB (size, size, 3): the first clip from left to right, the second from bottom to top, in seconds.

    Dark is alike, bright is unlike; the grey line is an even stretch, the white one the path found.
    """
    height, width = size - _TOP - _BOTTOM, size - _LEFT - 8
    first, second = _pooled(alignment.first, width), _pooled(alignment.second, height)
    costs = cdist(second, first, "cityblock")[::-1]
    low, high = np.percentile(costs, (1, 99))
    grey = np.clip((costs - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)
    grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_NEAREST)
    plot = cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    cv2.line(plot, (0, height - 1), (width - 1, 0), _EVEN, 1, cv2.LINE_AA)
    x = (alignment.path.first + 0.5) / len(alignment.first) * width
    y = height - (alignment.path.second + 0.5) / len(alignment.second) * height
    cv2.polylines(plot, [np.stack([x, y], axis=1).round().astype(np.int32)], False, _PATH, 2, cv2.LINE_AA)
    picture = np.full((size, size, 3), _PAPER, dtype=np.uint8)
    picture[_TOP : _TOP + height, _LEFT : _LEFT + width] = plot
    frame_map = alignment.frame_map
    across, up = (
        len(rows) / rate
        for rows, rate in (
            (alignment.first, float(frame_map.first_rate)),
            (alignment.second, float(frame_map.second_rate)),
        )
    )
    for share in (0.0, 0.5, 1.0):
        column, row = _LEFT + round(share * (width - 34)), _TOP + height - round(share * (height - 12))
        _write(picture, f"{share * across:.1f}", (column, size - 10))
        _write(picture, f"{share * up:.1f}", (4, row))
    _write(picture, f"second clip (s) over first; cost per step {frame_map.mean_cost:.1f}", (_LEFT, 16))
    return picture


def _pooled(features: np.ndarray, most: int) -> np.ndarray:
    """At most ``most`` rows, each the mean of its neighbours."""
    if len(features) <= most:
        return features
    edges = np.linspace(0, len(features), most + 1).astype(int)
    return np.add.reduceat(features, edges[:-1]) / np.diff(edges)[:, None]


def _write(picture: np.ndarray, text: str, place: tuple[int, int]) -> None:
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA)
