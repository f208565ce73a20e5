"""Drawing one target's lower face out of the source frame, sampled once, at the frame's own resolution."""

from __future__ import annotations

from math import ceil, floor

import cv2
import numpy as np
import torch

from ...face.crop import FaceCrop, crop_frame
from ...media.frame import Box, Frame
from ..face_crops import OUTSIDE
from ..head import FacePatch, PatchOrReason
from .geometry import mouth_geometry, skull_points
from .mouth_track import Mouth
from .paste import lower_face
from .region import MARGIN, PIXELS, WIDE_PIXELS, mouth_regions, place_mesh
from .renderer import MouthRenderer

_MARGIN = (WIDE_PIXELS - PIXELS) / 2
_LEAST_WEIGHT = 0.01  # of a carrier, below which the picture is not sampled for it


class SourceFace:
    """The frame that mouths are drawn from: its region, its mesh in it, and its pixels, made ready once."""

    def __init__(self, frame: Frame, mouth: Mouth) -> None:
        """Place the region.

        Args:
            frame: The edited frame.
            mouth: Its mouth.
        """
        self.frame = frame
        self.crop = _wide_region(mouth)
        self.mesh = _place(mouth, mouth.edited, self.crop)
        self.skull = self.crop.to_crop(skull_points(mouth.pose)[0], WIDE_PIXELS)
        self.box = self.crop.box(frame)
        self.visible = self.box.width > 0 and self.box.height > 0
        self._pixels: np.ndarray | None = None
        self._tensor: torch.Tensor | None = None

    @property
    def pixels(self) -> np.ndarray:
        """uint8 RGB (h, w, 3) of :attr:`box`."""
        if self._pixels is None:
            self._pixels = self.frame.rgb(self.box)
        return self._pixels

    def tensor(self, device: torch.device) -> torch.Tensor:
        """float32 (1, 3, R, R) in 0..1: the region with margin, R = WIDE_PIXELS, as the network sees it."""
        if self._tensor is None:
            region = crop_frame(self.frame, self.crop, WIDE_PIXELS)
            self._tensor = torch.from_numpy(region).permute(2, 0, 1)[None].float().div(255).to(device)
        return self._tensor

    def prepare(self, device: torch.device, *, for_network: bool) -> None:
        """Read the pixels now, so that threads may share them; ``for_network``: also as a tensor."""
        if self.visible:
            _ = self.pixels
            if for_network:
                self.tensor(device)


def _wide_region(mouth: Mouth) -> FaceCrop:
    return mouth_regions(mouth.pose, margin=MARGIN)[0]


def _place(mouth: Mouth, shape: np.ndarray, crop: FaceCrop) -> np.ndarray:
    """A mesh on the canonical head → pixels of the region with margin, (478, 3)."""
    return place_mesh(mouth.pose.to_image(shape[None])[0], crop)


def draw_patch(
    source: SourceFace,
    frame: Frame,
    mouth: Mouth,
    shape: np.ndarray,
    opacity: float,
    renderer: MouthRenderer | None,
    device: torch.device,
) -> PatchOrReason:
    """Draw the lower face of one frame.

    Args:
        source: Whose pixels are used.
        frame: The frame to draw in.
        mouth: The mouth that the frame has.
        shape: float (478, 3), face units: the mesh it shall have, at the head pose of ``mouth``.
        opacity: 0..1.
        renderer: Paints the inside of the mouth; None only warps the source.
        device: Where the renderer is.

    Returns:
        The drawn lower face; a reason where it lies outside the frame, or the source's outside its own.
    """
    wide = _wide_region(mouth)
    mesh = _place(mouth, shape, wide)
    skull = wide.to_crop(skull_points(mouth.pose)[0], WIDE_PIXELS)
    geometry = mouth_geometry(source.mesh, mesh, source.skull, skull, source_size=WIDE_PIXELS, target_size=PIXELS)
    current = _place(mouth, mouth.edited, wide)
    alpha = opacity * lower_face([each[:, :2] - _MARGIN for each in (mesh, current)], PIXELS)
    region = FaceCrop(cx=wide.cx, cy=wide.cy, side=wide.side / MARGIN, rotation=wide.rotation)
    box = _covered_box(region, alpha, frame)
    if box is None or not source.visible:
        return OUTSIDE
    grid = _BoxGrid(region, box)
    positions = geometry.flows
    weights = paint = None
    if renderer is not None:
        with torch.no_grad():
            fields = renderer.fields(
                source.tensor(device),
                torch.from_numpy(geometry.source_mask)[None].to(device),
                torch.from_numpy(geometry.flows)[None].to(device),
                torch.from_numpy(geometry.target_masks)[None].to(device),
            )
        positions = positions.copy()
        positions[0] += PIXELS * fields.bend[0].permute(1, 2, 0).cpu().numpy()
        weights = fields.weights[0].cpu().numpy()
        paint = fields.paint[0].permute(1, 2, 0).cpu().numpy() * 255
    picture = _sample(source, grid, positions[0])
    if weights is not None and paint is not None:
        mixed = picture.astype(np.float32) * grid.resize(weights[0])[..., None]
        for j in (1, 2):
            carried = _sample(source, grid, positions[j]) if weights[j].max() > _LEAST_WEIGHT else picture
            mixed += carried * grid.resize(weights[j])[..., None]
        picture = np.clip(mixed + grid.resize(paint) + 0.5, 0, 255).astype(np.uint8)
    return FacePatch(box=box, rgb=picture, alpha=np.clip(grid.resize(alpha, border=0.0), 0, 1))


def _covered_box(region: FaceCrop, alpha: np.ndarray, frame: Frame) -> Box | None:
    """The part of the frame that ``alpha`` over the region can reach; None if there is none."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return None
    x0, x1, y0, y1 = columns[0] - 1, columns[-1] + 2, rows[0] - 1, rows[-1] + 2
    corners = region.to_frame(np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], float), PIXELS)
    low, high = corners.min(axis=0), corners.max(axis=0)
    box = Box(floor(low[0]), floor(low[1]), ceil(high[0]), ceil(high[1])).clipped(frame.width, frame.height)
    return box if box.width and box.height else None


class _BoxGrid:
    """Resamples fields of the region (PIXELS × PIXELS) to the pixels of a box of the frame."""

    def __init__(self, region: FaceCrop, box: Box) -> None:
        matrix = region.matrix(PIXELS)
        self.box = box
        # Pixel centres of the box → array indices of the region.
        self._matrix = matrix.copy()
        self._matrix[:, 2] += matrix[:, :2] @ (box.x0 + 0.5, box.y0 + 0.5) - 0.5

    def resize(self, field: np.ndarray, *, border: float | None = None) -> np.ndarray:
        """(PIXELS, PIXELS[, C]) → (h, w[, C]) float32, bilinear. border: value outside; None continues the field."""
        return cv2.warpAffine(
            np.ascontiguousarray(field, np.float32),
            self._matrix,
            (self.box.width, self.box.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT,
            borderValue=border or 0.0,
        )


def _sample(source: SourceFace, grid: _BoxGrid, positions: np.ndarray) -> np.ndarray:
    """The source frame (bicubic) at positions (PIXELS, PIXELS, 2) of its region with margin → uint8 (h, w, 3)."""
    inverse = cv2.invertAffineTransform(source.crop.matrix(WIDE_PIXELS))
    in_frame = grid.resize(positions) @ inverse[:, :2].T.astype(np.float32) + inverse[:, 2].astype(np.float32)
    in_frame -= np.array([source.box.x0 + 0.5, source.box.y0 + 0.5], np.float32)
    x, y = np.ascontiguousarray(in_frame[..., 0]), np.ascontiguousarray(in_frame[..., 1])
    return cv2.remap(source.pixels, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
