"""Plots of a comparison, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from ..expression.request import EMOTIONS
from ..figure import new_figure
from .findings import Comparison
from .sync import SyncScore

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 768, 320  # pixels of a plot
SIDES = ("source", "output")
# Told apart by colour-blind people too (Okabe and Ito 2008), dark enough on white.
_BLUE, _ORANGE = "#0072b2", "#d55e00"
_SIDE_COLOURS = (_BLUE, _ORANGE)
_EMOTION_COLOURS = ("#777777", "#b22222", "#009e73", "#b0578d", _ORANGE, _BLUE, "#4a9fd0")


def draw_charts(comparison: Comparison) -> Iterator[Figure]:
    """Draw lip opening over time, then emotions and the synchrony curve of each network that gave them.

    Args:
        comparison: What was measured.

    Returns:
        Figures of 768 × 320 pixels at 100 dpi, drawn when they are asked for.

    Raises:
        InputError: matplotlib is not installed.
    """
    times = np.arange(comparison.frames) / float(comparison.frame_rate)
    with _chart("Lip opening", "seconds", "% of eye distance") as (figure, axes):
        _lines(axes, ((side, times, opening) for side, opening in zip(SIDES, comparison.traces.apertures, strict=True)))
    yield figure
    for family in comparison.families:
        for title, (moments, *sides) in family.emotions.items():
            for side, emotions in zip(SIDES, sides, strict=True):
                with _chart(f"Emotions of the {side} ({title})", "seconds", "probability") as (figure, axes):
                    curves = ((name, moments, emotions[:, i]) for i, name in enumerate(EMOTIONS))
                    _lines(axes, curves, _EMOTION_COLOURS)
                    axes.set_ylim(0.0, 1.0)
                yield figure
        for title, scores in family.sync.items():
            x_label = "sound moved by frames of 1/25 s"
            with _chart(f"Distance of lips and sound ({title})", x_label, "mean distance") as (figure, axes):
                _lines(axes, (_sync_curve(side, score) for side, score in zip(SIDES, scores, strict=True)))
            yield figure


def as_svg(figure: Figure) -> bytes:
    """A figure as an SVG file, the same bytes each time; texts stay texts."""
    from matplotlib import rc_context

    file = BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "thfem"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


@contextmanager
def _chart(title: str, x_label: str, y_label: str) -> Iterator[tuple[Figure, Axes]]:
    """Empty axes to draw on; the legend is added at the end."""
    figure = new_figure(WIDTH, HEIGHT)
    axes = figure.add_subplot(xlabel=x_label, ylabel=y_label, title=title)
    axes.grid(color="#dddddd")
    yield figure, axes
    if axes.lines:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def _lines(
    axes: Axes, curves: Iterable[tuple[str, np.ndarray, np.ndarray]], colours: Sequence[str] = _SIDE_COLOURS
) -> None:
    """Draw (label, x, y) curves; NaN leaves a gap."""
    for (label, x, y), colour in zip(curves, colours, strict=True):
        axes.plot(x, y, color=colour, linewidth=1.6, label=label)


def _sync_curve(side: str, score: SyncScore | None) -> tuple[str, np.ndarray, np.ndarray]:
    """Mean distance by shift; empty where the score could not be taken."""
    curve = np.array(() if score is None else score.curve)
    return side, np.arange(len(curve)) - len(curve) // 2, curve
