from __future__ import annotations

import numpy as np

from thfem_core.media.frame import Box
from thfem_core.talking_head.head import FacePatch

X, Y = 230, 320


class SquareHead:
    drives = ("audio", "original", "blend")

    def __init__(self, options, resources):
        side = options.square_side
        rgb, alpha = np.full((side, side, 3), options.brightness, np.uint8), np.ones((side, side), np.float32)
        self.patch = FacePatch(box=Box(X, Y, X + side, Y + side), rgb=rgb, alpha=alpha)

    def open_face(self, clip):
        return _Session(self.patch)


class _Session:
    lookahead = 0

    def __init__(self, patch):
        self.patch = patch

    def observe(self, frame):
        pass

    def predict(self, windows):
        return [[self.patch] * len(window.targets) for window in windows]
