"""Small plots by matplotlib, without pyplot, so that nothing global is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: int, height: int) -> Figure:
    """Begin a figure.

    Args:
        width: In pixels.
        height: In pixels.

    Returns:
        An empty figure.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 100, height / 100), dpi=100, layout="constrained")


def as_pixels(figure: Figure) -> np.ndarray:
    """Render a figure: uint8 RGB (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
