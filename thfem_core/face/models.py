"""What a face tracker needs from its networks: find faces, then fit the 478-point mesh to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..media.frame import Frame
from ..registry import Registry, Resources

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True, slots=True)
class Detection:
    """One face of one frame, in pixels of the full upright frame.

    box: (x0, y0, x1, y1) floats. keypoints: (6, 2) float32: right eye, left eye, nose tip, mouth, right and left
    ear tragion (the person's right is on the image's left). score: 0..1.
    """

    box: tuple[float, float, float, float]
    keypoints: np.ndarray
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceRoi:
    """The rotated square a mesh network looks at: centre, side (pixels) and in-plane rotation (radians, clockwise
    on screen, 0 = upright)."""

    cx: float
    cy: float
    side: float
    rotation: float


@dataclass(frozen=True, kw_only=True, slots=True)
class MeshFit:
    """landmarks: (478, 3) float32 in the convention of :mod:`.tracking.track`, unsmoothed. presence: 0..1."""

    landmarks: np.ndarray
    presence: float


class FaceModels(Protocol):
    """A detector and a mesh; both hold no state between calls."""

    def detect(self, frame: Frame) -> list[Detection]:
        """All faces, best score first, non-maximum suppressed."""
        ...

    def roi_from_detection(self, detection: Detection) -> FaceRoi: ...

    def roi_from_landmarks(self, landmarks: np.ndarray) -> FaceRoi:
        """Where to look in the next frame, from the fit in this one ((478, 3) pixels)."""
        ...

    def fit(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        """Fit the mesh inside each region (one batch)."""
        ...


face_models: Registry[FaceModels] = Registry("face tracker", package=__package__ or "thfem_core.face")
face_models.register("mediapipe", ".mediapipe")


def default_face_models(device: torch.device) -> FaceModels:
    """Load the first registered face tracker with its default options.

    Args:
        device: Where its networks run.

    Returns:
        The tracker's networks.

    Raises:
        WeightsError: A model file is missing or damaged.
    """
    return face_models.create(face_models.names()[0], resources=Resources(device=device))
