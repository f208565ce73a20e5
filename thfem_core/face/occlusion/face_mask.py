"""What the network says of one face in one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ...media.frame import Frame
from ..crop import FaceCrop, crop_frame
from ..mesh import topology
from .crop import occlusion_crop
from .network import PIXELS, OcclusionNet
from .parts import Part, part_shape

# An island of covered pixels is believed if it is this large, in pixels of the answer, and somewhere this sure. Among
# what benchmarks/occlusion.py --choose tries on validation people, the ones it prefers (IoU .880 of at most .882).
SMALLEST_ISLAND = 32
SUREST_PIXEL = 0.99
# Share of the square's height, about the brows: what ends above is taken for hair or a hat, which belong to the face.
FOREHEAD = 0.3
# The face without its border. An island that reaches into it by less than this share of the face, and lies mostly
# outside, is what can be seen beside the face, unless that part of it is certain.
REACH, OUTSIDE, CERTAIN = 0.05, 0.65, 0.995
_INNER_FACE = Part(points=topology.FACE_OVAL, growth=0.95, fade=None)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class FaceMask:
    """What is in front of a face.

    crop: Square of the frame that was looked at.
    covered: (S, S) float32 over the square, probability 0..1 that something in front of the face is seen.
    """

    crop: FaceCrop
    covered: np.ndarray


def face_mask(frame: Frame, landmarks: np.ndarray, net: OcclusionNet) -> FaceMask | None:
    """Find what is in front of a face.

    Args:
        frame: Any frame.
        landmarks: (478, 3) of a face in it, pixels.
        net: See :func:`.loading.load_occlusion_net`.

    Returns:
        The mask, islands that are small, unsure or hair left out; None where the face lies outside the frame.
    """
    crop = occlusion_crop(landmarks)
    box = crop.box(frame)
    if not box.width or not box.height:
        return None
    covered = covered_pixels([crop_frame(frame, crop, PIXELS)], net)[0]
    face = part_shape(_INNER_FACE, crop.to_crop(landmarks[:, :2], len(covered)), len(covered)) > 0
    return FaceMask(crop=crop, covered=without_islands(covered, face))


def _is_beside(island: np.ndarray, face: np.ndarray, covered: np.ndarray) -> bool:
    inside = island & face
    reach = int(inside.sum())
    certain = covered[inside].max(initial=0.0) >= CERTAIN
    return not certain and reach < REACH * face.sum() and reach < (1 - OUTSIDE) * island.sum()


def covered_pixels(pictures: Sequence[np.ndarray], net: OcclusionNet) -> np.ndarray:
    """Run the network on a batch of face pictures.

    Args:
        pictures: N crops (128, 128, 3) uint8 RGB, as of :func:`.crop.occlusion_crop`.
        net: The network.

    Returns:
        (N, 64, 64) float32 probabilities.
    """
    device = next(net.parameters()).device
    batch = torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        return net(batch).sigmoid()[:, 0].cpu().numpy()


def without_islands(
    covered: np.ndarray,
    face: np.ndarray | None = None,
    *,
    smallest: int = SMALLEST_ISLAND,
    surest: float = SUREST_PIXEL,
) -> np.ndarray:
    """Leave out what is too small or too unsure to be an object, lies on the forehead only, or beside the face.

    Args:
        covered: (S, S) float32 probabilities.
        face: (S, S) bool, the face without its border; None where that is not known.
        smallest: Least pixels of an island that is believed.
        surest: Least probability of its surest pixel.

    Returns:
        The same, 0 in and around islands that are not believed.
    """
    likely = (covered > 0.5).astype(np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(likely, connectivity=8)
    kept = np.zeros_like(likely)
    for island in range(1, count):
        inside = labels == island
        _, top, _, height, area = statistics[island]
        on_forehead = top + height <= FOREHEAD * len(covered)
        sure = area >= smallest and covered[inside].max() >= surest
        if sure and not on_forehead and (face is None or not _is_beside(inside, face, covered)):
            kept |= inside.astype(np.uint8)
    if not kept.any():
        return np.zeros_like(covered)
    return covered * cv2.dilate(kept, np.ones((5, 5), np.uint8))
