"""What the whole pipeline passes from stage to stage: one upright video frame at its exact time.

Convention
----------
- Boxes are integer pixel edges ``(x0, y0, x1, y1)``, half open, x right, y down, origin at the top-left *corner*.
- Point coordinates elsewhere in the package put the centre of the top-left pixel at (0.5, 0.5).
- ``rgb`` arrays are uint8 ``(H, W, 3)``, full range, in the transfer curve of the video.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, Protocol

import numpy as np


class Box(NamedTuple):
    """Half-open pixel rectangle."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0

    def clipped(self, width: int, height: int) -> Box:
        """The part inside a ``width`` × ``height`` frame (may be empty, never inverted)."""
        x0, y0 = min(max(self.x0, 0), width), min(max(self.y0, 0), height)
        return Box(x0, y0, max(x0, min(self.x1, width)), max(y0, min(self.y1, height)))


class Frame(Protocol):
    """An immutable frame. Stages read regions of it and paste regions into it; nothing else is touched.

    ``index`` counts from 0 in presentation order; ``time`` is the exact presentation time in seconds from the
    first frame of the clip.
    """

    @property
    def index(self) -> int: ...
    @property
    def time(self) -> Fraction: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...

    def rgb(self, box: Box | None = None) -> np.ndarray:
        """uint8 RGB ``(h, w, 3)`` of ``box`` (which must lie inside the frame) or of the whole frame."""
        ...

    def thumbnail(self, width: int, height: int, box: Box | None = None) -> np.ndarray:
        """uint8 RGB ``(height, width, 3)``: the whole frame or ``box``, area-scaled (cheaper than its pixels).

        A box whose edges are multiples of 4, or the frame's, is exact for every pixel format.
        """
        ...

    def warped(self, to_frame: np.ndarray, width: int, height: int) -> np.ndarray:
        """Sample an affine part of the frame bilinearly (cheap: of the frame, only what is sampled is read).

        Args:
            to_frame: (2, 3) from points of the result to points of the frame, pixel centres at 0.5 in both.
            width: Of the result.
            height: Of the result.

        Returns:
            uint8 RGB ``(height, width, 3)``; beyond the frame its border pixels repeat.
        """
        ...

    def paste(self, box: Box, rgb: np.ndarray, alpha: np.ndarray) -> Frame:
        """A new frame with ``rgb`` (h, w, 3 uint8) blended into ``box`` by ``alpha`` (h, w float32 0..1).

        Samples whose alpha is 0 keep their stored value bit for bit, chroma included.
        """
        ...

    def restored(self, source: Frame, box: Box, alpha: np.ndarray) -> Frame:
        """Bring back what another frame shows.

        Args:
            source: Of the same size, usually this frame before it was edited.
            box: Where, inside the frame.
            alpha: (h, w) float32 in 0..1, opacity of ``source``.

        Returns:
            A new frame; where alpha is 1 it has the stored values of ``source`` bit for bit, chroma included.
        """
        ...
