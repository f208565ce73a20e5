"""The verdict of a comparison as a picture: a table whose rows say good, so-so or bad in words and colours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import isfinite
from textwrap import shorten
from typing import TYPE_CHECKING

from ..figure import check_matplotlib, new_figure
from .feature_pass import MeasuredValue
from .findings import Comparison
from .measure import ARROWS
from .verdict_table import MARKS, headline, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW, HEAD, MARGIN, GAP, FONT, DPI = 30, 46, 11, 22, 10.5, 100  # pixels; the font in points
MIN_WIDTH = 1100  # pixels
# Pale enough for black words, told apart by colour-blind people too.
_COLOURS = {"good": "#cfe8cf", "fair": "#ffe9b3", "bad": "#f6c6bd", "": "#ffffff"}
_TITLES = ("measure", "value", "source", "verdict", "ranges")


def verdict_picture(comparison: Comparison) -> Figure:
    """Draw the verdict.

    Args:
        comparison: What was measured.

    Returns:
        A figure at 100 dpi, as high as it has rows; 1100 pixels wide, or more where names of measures are long.

    Raises:
        InputError: matplotlib is not installed.
    """
    check_matplotlib()
    table = [[_row(network, value) for network, value in family.values] for family in comparison.families]
    edges = _left_edges([_TITLES, *(words for rows in table for words, _ in rows)])
    width = max(MIN_WIDTH, round(edges[-1]))
    height = HEAD + ROW * (1 + sum(1 + len(rows) for rows in table) + len(comparison.notes))
    figure = new_figure(width, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.text(MARGIN, HEAD / 2, headline(comparison), va="center", fontsize=12, weight="bold")
    y = float(HEAD)
    _cells(axes, y, edges, _TITLES, colour="#e6e6e6", weight="bold")
    for family, rows in zip(comparison.families, table, strict=True):
        y += ROW
        _cells(axes, y, edges, (family.title,), colour="#f4f4f4", weight="bold")
        for words, colour in rows:
            y += ROW
            _cells(axes, y, edges, words, colour=colour)
    for line in comparison.notes:
        y += ROW
        _cells(axes, y, edges, (shorten(f"Note: {line}", 150, placeholder=" …"),), colour="#ffffff")
    return figure


def _row(network: str, value: MeasuredValue) -> tuple[tuple[str, ...], str]:
    """Words and colour of one measure."""
    measure = value.measure
    verdict = measure.verdict(value.value)
    source = measure.text(value.source) if isfinite(value.source) else ""
    name = f"{ARROWS[measure.better]} {label(network, value)}"
    return (name, measure.text(value.value), source, MARKS[verdict], measure.ranges()), _COLOURS[verdict]


def _left_edges(rows: Sequence[tuple[str, ...]]) -> list[float]:
    """Where the columns of a table begin, and behind the last one where it ends, in pixels."""
    widths = [max(map(_drawn_width, column)) + GAP for column in zip(*rows, strict=True)]
    return [MARGIN, *(MARGIN + edge for edge in accumulate(widths))]


def _drawn_width(words: str) -> float:
    """Width of bold words, in pixels; others are narrower."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not words:
        return 0.0
    return float(TextPath((0, 0), words, size=FONT * DPI / 72, prop=FontProperties(weight="bold")).get_extents().width)


def _cells(
    axes: Axes, y: float, edges: Sequence[float], words: tuple[str, ...], *, colour: str, weight: str = "normal"
) -> None:
    axes.axhspan(y, y + ROW, color=colour)
    axes.axhline(y + ROW, color="#c0c0c0", linewidth=0.5)
    for x, word in zip(edges, words, strict=False):
        axes.text(x, y + ROW / 2, word, va="center", fontsize=FONT, weight=weight)
