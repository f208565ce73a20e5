"""The verdict of a comparison as a picture: a table whose rows say good, so-so or bad in words and colours."""

from __future__ import annotations

from math import isfinite
from textwrap import shorten
from typing import TYPE_CHECKING

from ..figure import new_figure
from .findings import Comparison
from .measure import ARROWS
from .verdict_table import MARKS, headline, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW, HEAD = 1100, 30, 46  # pixels
# Pale enough for black words, told apart by colour-blind people too.
_COLOURS = {"good": "#cfe8cf", "fair": "#ffe9b3", "bad": "#f6c6bd", "": "#ffffff"}
_COLUMNS = (0.01, 0.36, 0.47, 0.61, 0.69)  # left edges, shares of the width
_TITLES = ("measure", "value", "source", "verdict", "ranges")


def verdict_picture(comparison: Comparison) -> Figure:
    """Draw the verdict.

    Args:
        comparison: What was measured.

    Returns:
        A figure of 1100 pixels at 100 dpi, as high as it has rows.

    Raises:
        InputError: matplotlib is not installed.
    """
    rows = sum(1 + len(family.values) for family in comparison.families) + len(comparison.notes)
    height = HEAD + ROW * (rows + 1)
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(height, 0)
    axes.text(_COLUMNS[0], HEAD / 2, headline(comparison), va="center", fontsize=12, weight="bold")
    y = float(HEAD)
    _cells(axes, y, _TITLES, colour="#e6e6e6", weight="bold")
    for family in comparison.families:
        y += ROW
        _cells(axes, y, (family.title,), colour="#f4f4f4", weight="bold")
        for network, value in family.values:
            y += ROW
            measure = value.measure
            verdict = measure.verdict(value.value)
            source = measure.text(value.source) if isfinite(value.source) else ""
            name = f"{ARROWS[measure.better]} {label(network, value)}"
            _cells(
                axes,
                y,
                (name, measure.text(value.value), source, MARKS[verdict], measure.ranges()),
                colour=_COLOURS[verdict],
            )
    for line in comparison.notes:
        y += ROW
        _cells(axes, y, (shorten(f"Note: {line}", 150, placeholder=" …"),), colour="#ffffff")
    return figure


def _cells(axes: Axes, y: float, words: tuple[str, ...], *, colour: str, weight: str = "normal") -> None:
    axes.axhspan(y, y + ROW, color=colour)
    axes.axhline(y + ROW, color="#c0c0c0", linewidth=0.5)
    for x, word in zip(_COLUMNS, words, strict=False):
        axes.text(x, y + ROW / 2, word, va="center", fontsize=10.5, weight=weight)
