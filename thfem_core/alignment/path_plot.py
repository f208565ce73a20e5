"""A plot of a warping path, to judge an alignment by eye."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from ..figure import as_pixels, new_figure
from .clips import Alignment


def path_plot(alignment: Alignment, *, size: int = 512) -> np.ndarray:
    """Plot how one clip was aligned with another.

    Args:
        alignment: The alignment.
        size: Side of the plot in pixels.

    Returns:
        uint8 RGB (size, size, 3): the first clip from left to right, the second from bottom to top. Dark is alike,
        bright is unlike; the grey line is an even stretch, the white one the path found.
    """
    frame_map, path = alignment.frame_map, alignment.path
    first_rate, second_rate = float(frame_map.first_rate), float(frame_map.second_rate)
    ends = len(alignment.first) / first_rate, len(alignment.second) / second_rate
    costs = cdist(_pooled(alignment.second, size), _pooled(alignment.first, size), "cityblock")
    low, high = np.percentile(costs, (1, 99))
    figure = new_figure(size, size)
    axes = figure.subplots()
    extent = (0.0, ends[0], 0.0, ends[1])
    axes.imshow(costs, cmap="inferno", origin="lower", aspect="auto", extent=extent, vmin=low, vmax=high)
    axes.plot((0, ends[0]), (0, ends[1]), color="0.45", linewidth=1)
    axes.plot((path.first + 0.5) / first_rate, (path.second + 0.5) / second_rate, color="white", linewidth=2)
    axes.set(xlabel="first clip, seconds", ylabel="second clip, seconds")
    axes.set_title(f"cost per step {frame_map.mean_cost:.1f}", fontsize="medium")
    return as_pixels(figure)


def _pooled(features: np.ndarray, most: int) -> np.ndarray:
    """Average neighbouring rows until there are at most ``most``."""
    if len(features) <= most:
        return features
    edges = np.linspace(0, len(features), most + 1).astype(int)
    pooled: np.ndarray = np.add.reduceat(features, edges[:-1]) / np.diff(edges)[:, None]
    return pooled
