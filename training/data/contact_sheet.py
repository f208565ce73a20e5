"""Pairs to look through: a strip of each, and a page of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import jinja2
import numpy as np

_PAGE = jinja2.Environment(autoescape=True).from_string(
    """<!doctype html><meta charset="utf-8"><title>Training pairs</title>
<style>body{font:14px sans-serif;margin:2em}figure{display:inline-block;margin:.5em}img{display:block}</style>
<h1>{{ rows | length }} training pairs</h1>
<p>Above: edited frames, the sources. Below: the real frames with the same words. The dearest warpings come first.</p>
{% for row in rows %}<figure id="{{ row.name }}"><a href="{{ row.name }}/edited.mp4"><img src="{{ row.name }}/sheet.jpg"
loading="lazy" alt="{{ row.name }}"></a><figcaption>{{ row.name }} · {{ row.frames }} frames · cost
{{ "%.1f" | format(row.mean_cost) }} per step · <a href="{{ row.name }}/target.mp4">target</a></figcaption></figure>
{% endfor %}
<h2>{{ dropped | length }} dropped</h2>
<ul>{% for row in dropped %}<li>{{ row.name }}: {{ row.dropped }}</li>{% endfor %}
</ul><h2>{{ lacking | length }} without a real clip of the same words</h2>
<ul>{% for line in lacking %}<li>{{ line }}</li>{% endfor %}</ul>
"""
)


def sheet(clips: Sequence[np.ndarray], *, moments: int = 6, side: int = 128) -> np.ndarray:
    """A row per clip: evenly spread frames of (T, H, W, 3) uint8, ``side`` pixels each, uint8 RGB."""
    rows = []
    for clip in clips:
        picks = np.linspace(0, len(clip) - 1, moments).round().astype(int)
        rows.append(np.hstack([cv2.resize(clip[i], (side, side), interpolation=cv2.INTER_AREA) for i in picks]))
    return np.vstack(rows)


def write_jpeg(path: Path, picture: np.ndarray) -> None:
    """uint8 RGB (H, W, 3) to a file."""
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    path.write_bytes(data.tobytes())


def write_page(out: Path, facts: Sequence[dict[str, Any]], lacking: Sequence[str]) -> Path:
    """``index.html`` beside the pairs.

    Args:
        out: folder of the pairs.
        facts: of every pair, dropped ones too (see :func:`.pairs.build_pair`).
        lacking: wishes without a real clip.
    """
    rows = sorted((row for row in facts if "dropped" not in row), key=lambda row: -row["mean_cost"])
    page = out / "index.html"
    dropped = [row for row in facts if "dropped" in row]
    page.write_text(_PAGE.render(rows=rows, dropped=dropped, lacking=lacking), encoding="utf-8")
    return page
