"""A whole clip through the manipulator: windows of ten frames, overlapped and added; and the styles they take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .manipulator import WINDOW, ExpressionTranslator, SequenceReader

_SIGMA = 1.85  # 0.3 · ((10 - 1) / 2 - 1) + 0.8, by which OpenCV chooses it for ten taps


def window_weights() -> Tensor:
    """Weights of the ten frames of a window, summing to 1.

    NED takes OpenCV 5's Gaussian kernel of even size, whose two centre taps both count as the centre.

    Returns:
        Weights (10,) float64.
    """
    distance = (torch.arange(WINDOW, dtype=torch.float64) - (WINDOW - 1) / 2).abs()
    weights = torch.exp(-(distance**2) / (2 * _SIGMA**2))
    weights[distance < 1] = 1.0
    return weights / weights.sum()


def windows_of(sequence: Tensor) -> Tensor:
    """Cut a sequence (T, C), T ≥ 10, into all its windows (T - 9, 10, C)."""
    return sequence.unfold(0, WINDOW, 1).transpose(1, 2)


def translate(translator: ExpressionTranslator, sequence: Tensor, styles: Sequence[Tensor]) -> Tensor:
    """Translate a clip's expression parameters, window by window.

    Every frame from the tenth to the tenth last is the weighted mean of ten windows; the first and the last nine are
    taken from the first and the last window as they are. A clip shorter than a window is continued by its last frame.

    Args:
        translator: NED's generator.
        sequence: Expression parameters (T, 51).
        styles: One style (16,) for the whole clip, or several, each for an equal part of it.

    Returns:
        Translated parameters (T, 51).
    """
    count = len(sequence)
    padded = torch.cat([sequence, sequence[-1:].expand(max(WINDOW - count, 0), -1)])
    frames = len(padded)
    windows = windows_of(padded)
    chosen = [min(int(start / (frames / len(styles))), len(styles) - 1) for start in range(len(windows))]
    translated = translator(windows, torch.stack([styles[index] for index in chosen]))
    weights = window_weights().to(translated)
    blended = torch.zeros_like(padded)
    for offset in range(WINDOW):
        blended[offset : offset + len(windows)] += weights[offset] * translated[:, offset]
    edge = WINDOW - 1
    first, last = (translator(windows[[at]], styles[style][None])[0] for at, style in ((0, 0), (-1, -1)))
    blended[frames - edge :] = last[WINDOW - edge :]
    blended[:edge] = first[:edge]
    return blended[:count]


class TranslatedStream:
    """:func:`translate` of one style for parameters that arrive frame by frame; holds ten frames."""

    def __init__(self, translator: ExpressionTranslator, style: Tensor) -> None:
        """Start a clip.

        Args:
            translator: NED's generator.
            style: Style (16,).
        """
        self._translator, self._style = translator, style
        self._recent: list[Tensor] = []  # parameters of the last frames, at most a window
        self._sums: list[Tensor] = []  # of the frames that later windows still add to, oldest first
        self._windows = 0
        self._last: Tensor | None = None

    def push(self, parameters: Tensor) -> list[Tensor]:
        """Take the next frame's parameters (51,) and give the frames that are final now, in order."""
        self._recent = [*self._recent[-(WINDOW - 1) :], parameters]
        if len(self._recent) < WINDOW:
            return []
        window = self._translator(torch.stack(self._recent)[None], self._style[None])[0]
        weights = window_weights().to(window)
        self._sums += [torch.zeros_like(window[0])] * (WINDOW - len(self._sums))
        self._sums = [total + weight * row for total, weight, row in zip(self._sums, weights, window, strict=True)]
        self._last = window
        # the first nine frames are those of the first window as they are, and only then are nine more covered by ten
        final = list(window[: WINDOW - 1]) if self._windows == 0 else []
        if self._windows >= WINDOW - 1:
            final = [self._sums[0]]
        self._windows += 1
        self._sums = self._sums[1:]
        return final

    def finish(self) -> list[Tensor]:
        """Give the frames that are left at the end of the clip."""
        if self._last is None:  # shorter than a window: continued by its last frame
            count = len(self._recent)
            if not count:
                return []
            padded = torch.stack([*self._recent, *[self._recent[-1]] * (WINDOW - count)])
            return list(self._translator(padded[None], self._style[None])[0][:count])
        frames, given = self._windows + WINDOW - 1, max(WINDOW - 1, self._windows)
        return list(self._last[WINDOW - (frames - given) :])


def reference_style(encoder: SequenceReader, sequence: Tensor) -> Tensor:
    """Read the style of a reference clip: the geometric median over all its windows.

    Args:
        encoder: NED's style encoder.
        sequence: Expression parameters of the reference (T, 51).

    Returns:
        Style (16,).
    """
    short = max(WINDOW - len(sequence), 0)
    styles = encoder(windows_of(torch.cat([sequence, sequence[-1:].expand(short, -1)])))
    return torch.from_numpy(geometric_median(styles.double().cpu().numpy())).to(styles)


def geometric_median(points: np.ndarray, *, tolerance: float = 1e-5) -> np.ndarray:
    """Find the point with the smallest sum of distances to given points.

    Weiszfeld's iteration in the form of Vardi and Zhang (PNAS 2000), which does not get stuck on a given point.

    Args:
        points: Points (N, D).
        tolerance: Length of the last step.

    Returns:
        The median (D,).
    """
    median = points.mean(axis=0)
    while True:
        distances = np.linalg.norm(points - median, axis=1)
        apart = distances > 0
        if not apart.any():
            return median
        weights = 1 / distances[apart]
        moved = weights @ points[apart] / weights.sum()
        coinciding = len(points) - int(apart.sum())
        if coinciding:
            resultant = float(np.linalg.norm((moved - median) * weights.sum()))
            stay = min(1.0, coinciding / resultant) if resultant else 1.0
            moved = (1 - stay) * moved + stay * median
        if np.linalg.norm(moved - median) < tolerance:
            return moved
        median = moved
