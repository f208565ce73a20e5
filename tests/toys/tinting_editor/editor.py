from __future__ import annotations

from contextlib import closing

import numpy as np

from thfem_core.media.frame import Box

SIDE = 16


class TintingEditor:
    needs_faces = False

    def __init__(self, options, resources):
        self.options = options

    def edit(self, frames, tracks, request, *, frame_rate, device):
        value = 255 - self.options.brightness if self.options.inverted else self.options.brightness
        patch, alpha = np.full((SIDE, SIDE, 3), value, np.uint8), np.ones((SIDE, SIDE), np.float32)
        with closing(frames):
            for frame in frames:
                x = 0 if self.options.corner == "left" else frame.width - SIDE
                yield frame.paste(Box(x, 0, x + SIDE, SIDE), patch, alpha)
