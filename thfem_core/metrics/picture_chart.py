"""A chart as pixels, for the preview of a node."""

from __future__ import annotations

import cv2
import numpy as np

from .charts import Chart, ticks

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 56
_INK, _GRID = (60, 60, 60), (225, 225, 225)


def picture_chart(chart: Chart, width: int = 768, height: int = 320) -> np.ndarray:
    """(height, width, 3) uint8 RGB on white. Gaps in a line stay gaps."""
    picture = np.full((height, width, 3), 255, np.uint8)
    x0, x1, y0, y1 = chart.extent()
    across, down = (width - _LEFT - _RIGHT) / (x1 - x0), (height - _TOP - _BOTTOM) / (y1 - y0)

    def write(text: str, x: float, y: float, *, anchor: float = 0.0, scale: float = 0.45) -> int:
        (length, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
        cv2.putText(picture, text, (round(x - anchor * length), round(y)), _FONT, scale, _INK, 1, cv2.LINE_AA)
        return length

    write(chart.title, _LEFT, 22, scale=0.6)
    for value in ticks(y0, y1):
        y = height - _BOTTOM - (value - y0) * down
        cv2.line(picture, (_LEFT, round(y)), (width - _RIGHT, round(y)), _GRID, 1)
        write(f"{value:g}", _LEFT - 6, y + 5, anchor=1.0)
    for value in ticks(x0, x1, 8):
        write(f"{value:g}", _LEFT + (value - x0) * across, height - _BOTTOM + 18, anchor=0.5)
    write(chart.x_label, width - _RIGHT, height - 8, anchor=1.0)
    write(chart.y_label, width - _RIGHT, 22, anchor=1.0)
    at = _LEFT
    for line in chart.lines:
        colour = tuple(int(line.colour[i : i + 2], 16) for i in (1, 3, 5))
        xs = _LEFT + (line.x - x0) * across
        ys = height - _BOTTOM - (np.clip(line.y, y0, y1) - y0) * down
        points = np.stack([xs, ys], axis=1)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], np.isfinite(ys), [False]]).astype(np.int8)))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            run = np.round(points[start:stop] * 16).astype(np.int32)
            cv2.polylines(picture, [run], False, colour, 2, cv2.LINE_AA, shift=4)
        cv2.line(picture, (at, height - 12), (at + 16, height - 12), colour, 2, cv2.LINE_AA)
        at += 34 + write(line.label, at + 20, height - 8)
    return picture
