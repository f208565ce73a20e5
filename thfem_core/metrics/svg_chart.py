"""A chart as inline SVG: no script, no font, no file beside it."""

from __future__ import annotations

from html import escape

import numpy as np

from .charts import Chart, ticks

WIDTH, HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 44


def svg_chart(chart: Chart) -> str:
    """One ``<svg>`` with axes, grid and lines; the legend is part of the picture. Gaps in a line stay gaps."""
    x0, x1, y0, y1 = chart.extent()

    def x_at(x: float) -> float:
        return _LEFT + (x - x0) / (x1 - x0) * (WIDTH - _LEFT - _RIGHT)

    def y_at(y: float) -> float:
        return HEIGHT - _BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.title)}">',
        f"<title>{escape(chart.title)}</title>",
    ]
    for value in ticks(y0, y1):
        y = y_at(value)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for value in ticks(x0, x1, 8):
        parts.append(f'<text x="{x_at(value):.1f}" y="{HEIGHT - _BOTTOM + 16}" text-anchor="middle">{value:g}</text>')
    bottom, middle = HEIGHT - 8, (HEIGHT - _BOTTOM + _TOP) / 2
    parts.append(f'<text x="{WIDTH - _RIGHT}" y="{bottom}" text-anchor="end">{escape(chart.x_label)}</text>')
    parts.append(
        f'<text transform="translate(12 {middle:.0f}) rotate(-90)" text-anchor="middle">{escape(chart.y_label)}</text>'
    )
    at = _LEFT
    for line in chart.lines:
        points = [(x_at(float(x)), y_at(float(np.clip(y, y0, y1)))) for x, y in zip(line.x, line.y, strict=True)]
        path, pen_down = [], False
        for (x, y), value in zip(points, line.y, strict=True):
            if np.isfinite(value):
                path.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
            pen_down = bool(np.isfinite(value))
        parts.append(f'<path class="line" stroke="{line.colour}" d="{"".join(path)}"/>')
        parts.append(f'<path class="line" stroke="{line.colour}" d="M{at} {bottom - 4}h16"/>')
        parts.append(f'<text x="{at + 20}" y="{bottom}">{escape(line.label)}</text>')
        at += 30 + 7 * len(line.label)
    return "".join([*parts, "</svg>"])
