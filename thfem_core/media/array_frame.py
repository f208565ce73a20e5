"""A frame held as an RGB array: images of a folder, and the image batches of node hosts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np

from .frame import Box, Frame
from .yuv.planar_frame import check_patch
from .yuv.planes import warp_samples


def _to_uint8(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return np.array(pixels)
    return np.rint(np.clip(pixels, 0.0, 1.0) * np.float32(255.0)).astype(np.uint8)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrayFrame:
    """:class:`.frame.Frame` over ``pixels``: (H, W, 3) uint8, or float32 in 0..1. The array is never written to."""

    index: int
    time: Fraction
    pixels: np.ndarray

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    def rgb(self, box: Box | None = None) -> np.ndarray:
        if box is None:
            return _to_uint8(self.pixels)
        if box != box.clipped(self.width, self.height):
            raise ValueError(f"{box} is not inside the {self.width}x{self.height} frame; clip it first")
        return _to_uint8(self.pixels[box.y0 : box.y1, box.x0 : box.x1])

    def thumbnail(self, width: int, height: int, box: Box | None = None) -> np.ndarray:
        x0, y0, x1, y1 = box or (0, 0, self.width, self.height)
        return _to_uint8(cv2.resize(self.pixels[y0:y1, x0:x1], (width, height), interpolation=cv2.INTER_AREA))

    def warped(self, to_frame: np.ndarray, width: int, height: int) -> np.ndarray:
        return _to_uint8(warp_samples(self.pixels, to_frame, width, height))

    def paste(self, box: Box, rgb: np.ndarray, alpha: np.ndarray) -> ArrayFrame:
        check_patch((self.width, self.height), box, rgb, alpha)
        pixels = self.pixels.copy()
        old = pixels[box.y0 : box.y1, box.x0 : box.x1]
        weight = alpha.astype(np.float32, copy=False)[..., None]
        if pixels.dtype == np.uint8:
            mixed = np.rint(old + weight * (rgb.astype(np.float32) - old)).astype(np.uint8)
        else:
            new = rgb.astype(np.float32) / np.float32(255.0)
            mixed = np.where(weight >= 1.0, new, old + weight * (new - old))
        np.copyto(old, mixed, where=weight > 0.0)
        return replace(self, pixels=pixels)

    def restored(self, source: Frame, box: Box, alpha: np.ndarray) -> Frame:
        if not isinstance(source, ArrayFrame) or source.pixels.dtype != self.pixels.dtype:
            return self.paste(box, source.rgb(box), alpha)
        pixels = self.pixels.copy()
        place = (slice(box.y0, box.y1), slice(box.x0, box.x1))
        old, new, weight = pixels[place], source.pixels[place], alpha.astype(np.float32, copy=False)[..., None]
        mixed = old + weight * (new.astype(np.float32) - old)
        mixed = np.rint(mixed).astype(np.uint8) if pixels.dtype == np.uint8 else mixed
        pixels[place] = np.where(weight >= 1.0, new, np.where(weight > 0.0, mixed, old))
        return replace(self, pixels=pixels)
