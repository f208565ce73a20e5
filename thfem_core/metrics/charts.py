"""The plots of a comparison as data, drawn elsewhere: as SVG in reports, as pixels in node previews."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..expression.request import EMOTIONS
from .findings import Comparison

POINTS = 1200  # per line; longer series are thinned
# Told apart by colour-blind people too (Okabe and Ito), dark enough on white.
BLUE, ORANGE, GREEN, PINK, SKY, RED, GRAY = "#0072b2", "#d55e00", "#009e73", "#b0578d", "#4a9fd0", "#b22222", "#777777"
_EMOTION_COLOURS = dict(zip(EMOTIONS, (GRAY, RED, GREEN, PINK, ORANGE, BLUE, SKY), strict=True))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Line:
    """x, y: (N,), y NaN where there is nothing. label: for the legend, plain ASCII. colour: ``#rrggbb``."""

    label: str
    x: np.ndarray
    y: np.ndarray
    colour: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Chart:
    """Lines over one x axis. y_range: fixed, or None for what the lines need. Texts are plain ASCII."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    y_range: tuple[float, float] | None = None

    def extent(self) -> tuple[float, float, float, float]:
        """x0, x1, y0, y1 with some room; sound also for empty or constant lines."""
        xs = np.concatenate([line.x for line in self.lines]) if self.lines else np.zeros(0)
        ys = np.concatenate([line.y for line in self.lines]) if self.lines else np.zeros(0)
        xs, ys = xs[np.isfinite(xs)], ys[np.isfinite(ys)]
        x0, x1 = (float(xs.min()), float(xs.max())) if xs.size else (0.0, 1.0)
        y0, y1 = (float(ys.min()), float(ys.max())) if ys.size else (0.0, 1.0)
        if self.y_range is not None:
            y0, y1 = self.y_range
        elif y1 > y0:
            y0, y1 = y0 - 0.05 * (y1 - y0), y1 + 0.05 * (y1 - y0)
        return x0, max(x1, x0 + 1e-6), y0, max(y1, y0 + 1e-6)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers within low..high, about ``wanted`` of them."""
    raw = (high - low) / wanted
    unit = 10.0 ** np.floor(np.log10(raw))
    step = next(float(unit * factor) for factor in (1, 2, 5, 10) if unit * factor >= raw)
    first = int(np.ceil(low / step - 1e-9))
    return [round(i * step, 10) for i in range(first, int(np.floor(high / step + 1e-9)) + 1)]


def charts_of(comparison: Comparison) -> list[Chart]:
    """Lip opening over time, then emotions and the synchrony curve where a network gave them."""
    times = np.arange(comparison.frames) / float(comparison.frame_rate)
    apertures = comparison.traces.apertures
    charts = [
        Chart(
            title="Lip opening",
            x_label="seconds",
            y_label="% of eye distance",
            lines=(
                _thinned("source", times, apertures[0], BLUE),
                _thinned("output", times, apertures[1], ORANGE),
            ),
        )
    ]
    for family in comparison.families:
        for title, (moments, *sides) in family.emotions.items():
            charts += [
                Chart(
                    title=f"Emotions of the {side} ({title})",
                    x_label="seconds",
                    y_label="probability",
                    lines=tuple(
                        _thinned(name, moments, emotions[:, i], _EMOTION_COLOURS[name])
                        for i, name in enumerate(EMOTIONS)
                    ),
                    y_range=(0.0, 1.0),
                )
                for side, emotions in zip(("source", "output"), sides, strict=True)
            ]
        for title, scores in family.sync.items():
            lines = tuple(
                Line(
                    label=side, x=np.arange(len(score.curve)) - len(score.curve) // 2, y=np.array(score.curve), colour=c
                )
                for side, score, c in zip(("source", "output"), scores, (BLUE, ORANGE), strict=True)
                if score is not None
            )
            charts.append(
                Chart(
                    title=f"Distance of lips and sound ({title})",
                    x_label="sound moved by frames of 1/25 s",
                    y_label="mean distance",
                    lines=lines,
                )
            )
    return charts


def _thinned(label: str, x: np.ndarray, y: np.ndarray, colour: str) -> Line:
    step = max(1, -(-len(x) // POINTS))
    return Line(label=label, x=x[::step], y=y[::step], colour=colour)
