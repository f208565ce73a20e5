"""Small plots by matplotlib, without pyplot, so that nothing global is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def check_matplotlib() -> None:
    """Check, before long work, that plots can be drawn.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError("plots need matplotlib, which is not installed; run: pip install matplotlib") from None


def new_figure(width: int, height: int) -> Figure:
    """Begin a figure.

    Args:
        width: In pixels.
        height: In pixels.

    Returns:
        An empty figure.

    Raises:
        InputError: matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 100, height / 100), dpi=100, layout="constrained")


def as_pixels(figure: Figure) -> np.ndarray:
    """Render a figure: uint8 RGB (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
