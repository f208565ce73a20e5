"""Drawing one target's lower face out of the source frame, sampled once, at the frame's own resolution."""

from __future__ import annotations

from math import ceil, floor

import cv2
import numpy as np
import torch

from ...face.crop import FaceCrop, crop_frame
from ...media.frame import Box, Frame
from ..head import FacePatch
from .geometry import mouth_geometry, skull_points
from .observed import Mouth
from .paste import lower_face
from .region import MARGIN, PIXELS, WIDE_PIXELS, mouth_regions, place_mesh
from .renderer import MouthRenderer

_MARGIN = (WIDE_PIXELS - PIXELS) / 2


class SourceFace:
    """A window's source frame: its region, its mesh in it, and its pixels, prepared once for all targets."""

    def __init__(self, frame: Frame, mouth: Mouth) -> None:
        self.frame = frame
        self.crop = _region(mouth)
        self.mesh = _placed(mouth, mouth.edited, self.crop)
        self.skull = self.crop.to_crop(skull_points(mouth.pose)[0], WIDE_PIXELS)
        box = self.crop.box(frame)
        self.visible = box.width > 0 and box.height > 0
        self.box = box
        self._picture: np.ndarray | None = None
        self._tensor: torch.Tensor | None = None

    @property
    def picture(self) -> np.ndarray:
        """RGB of :attr:`box`."""
        if self._picture is None:
            self._picture = self.frame.rgb(self.box)
        return self._picture

    def tensor(self, device: torch.device) -> torch.Tensor:
        """(1, 3, R, R) in 0..1: the region as the network sees it."""
        if self._tensor is None:
            region = crop_frame(self.frame, self.crop, WIDE_PIXELS)
            self._tensor = torch.from_numpy(region).permute(2, 0, 1)[None].float().div(255).to(device)
        return self._tensor

    def prepare(self, device: torch.device, *, pictured: bool) -> None:
        """Read the pixels now, that threads may share them. pictured: also for the network."""
        if self.visible:
            _ = self.picture
            if pictured:
                self.tensor(device)


def _region(mouth: Mouth) -> FaceCrop:
    return mouth_regions(mouth.pose, margin=MARGIN)[0]


def _placed(mouth: Mouth, shape: np.ndarray, crop: FaceCrop) -> np.ndarray:
    """A mesh on the canonical head → pixels of the region with margin, (478, 3)."""
    return place_mesh(mouth.pose.to_image(shape[None])[0], crop)


def draw_patch(
    source: SourceFace,
    frame: Frame,
    here: Mouth,
    shape: np.ndarray,
    amount: float,
    renderer: MouthRenderer | None,
    device: torch.device,
) -> FacePatch | None:
    """The source's lower face with the mesh ``shape`` (478, 3; face units) at the target's head pose.

    amount: 0..1, opacity. Without a renderer the source is only warped. None where the region lies outside the frame.
    """
    crop = _region(here)
    mesh = _placed(here, shape, crop)
    skull = crop.to_crop(skull_points(here.pose)[0], WIDE_PIXELS)
    geometry = mouth_geometry(source.mesh, mesh, source.skull, skull, source_size=WIDE_PIXELS, target_size=PIXELS)
    own = _placed(here, here.edited, crop)
    alpha = amount * lower_face([m[:, :2] - _MARGIN for m in (mesh, own)], PIXELS)
    drawn = FaceCrop(cx=crop.cx, cy=crop.cy, side=crop.side / MARGIN, rotation=crop.rotation)
    box = _touched(drawn, alpha, frame)
    if box is None or not source.visible:
        return None
    place = _Placement(drawn, box)
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
    picture = _sample(source, place, positions[0])
    if weights is not None and paint is not None:
        out = picture.astype(np.float32) * place.spread(weights[0])[..., None]
        for j in (1, 2):
            if weights[j].max() > 0.01:
                out += _sample(source, place, positions[j]) * place.spread(weights[j])[..., None]
            else:
                out += picture * place.spread(weights[j])[..., None]
        picture = np.clip(out + place.spread(paint) + 0.5, 0, 255).astype(np.uint8)
    return FacePatch(box=box, rgb=picture, alpha=np.clip(place.spread(alpha, border=0.0), 0, 1))


def _touched(crop: FaceCrop, alpha: np.ndarray, frame: Frame) -> Box | None:
    """The part of the frame that ``alpha`` over ``crop`` can reach; None if there is none."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if not len(rows):
        return None
    x0, x1, y0, y1 = columns[0] - 1, columns[-1] + 2, rows[0] - 1, rows[-1] + 2
    corners = crop.to_frame(np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], float), PIXELS)
    low, high = corners.min(axis=0), corners.max(axis=0)
    box = Box(floor(low[0]), floor(low[1]), ceil(high[0]), ceil(high[1])).clipped(frame.width, frame.height)
    return box if box.width and box.height else None


class _Placement:
    """Brings fields of the region (PIXELS × PIXELS) to the pixels of a box of the frame."""

    def __init__(self, crop: FaceCrop, box: Box) -> None:
        matrix = crop.matrix(PIXELS)
        self.box = box
        # Pixel centres of the box → array indices of the region.
        self._matrix = matrix.copy()
        self._matrix[:, 2] += matrix[:, :2] @ (box.x0 + 0.5, box.y0 + 0.5) - 0.5

    def spread(self, field: np.ndarray, *, border: float | None = None) -> np.ndarray:
        """(PIXELS, PIXELS[, C]) → (h, w[, C]) float32, bilinear. border: value outside; None continues the field."""
        return cv2.warpAffine(
            np.ascontiguousarray(field, np.float32),
            self._matrix,
            (self.box.width, self.box.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT,
            borderValue=border or 0.0,
        )


def _sample(source: SourceFace, place: _Placement, positions: np.ndarray) -> np.ndarray:
    """The source frame (bicubic) at positions (PIXELS, PIXELS, 2) of its region with margin → (h, w, 3) uint8."""
    inverse = cv2.invertAffineTransform(source.crop.matrix(WIDE_PIXELS))
    in_frame = place.spread(positions) @ inverse[:, :2].T.astype(np.float32) + inverse[:, 2].astype(np.float32)
    in_frame -= np.array([source.box.x0 + 0.5, source.box.y0 + 0.5], np.float32)
    return cv2.remap(
        source.picture, in_frame.astype(np.float32), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
