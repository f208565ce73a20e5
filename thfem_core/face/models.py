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
    """One face found in one frame, in pixels of the full upright frame.

    box: x0, y0, x1, y1.
    keypoints: (6, 2) float32: right eye, left eye, nose tip, mouth, right and left ear tragion; the person's right is
        on the image's left.
    score: 0..1.
    """

    box: tuple[float, float, float, float]
    keypoints: np.ndarray
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceRoi:
    """The rotated square that a mesh network looks at.

    cx: Centre, pixels from the left.
    cy: Centre, pixels from the top.
    side: Pixels.
    rotation: Radians, clockwise on screen, 0 upright.
    """

    cx: float
    cy: float
    side: float
    rotation: float


@dataclass(frozen=True, kw_only=True, slots=True)
class MeshFit:
    """The mesh of one face in one frame.

    landmarks: (478, 3) float32 in the convention of :mod:`.tracking.track`, not smoothed; of a rough fit the first 468,
        lips and eyes less exact.
    presence: Probability 0..1 that there is a face in the region.
    details: What :meth:`FaceModels.refined` needs to complete a rough fit; None where there is nothing to complete.
    """

    landmarks: np.ndarray
    presence: float
    details: object = None


class FaceModels(Protocol):
    """Networks of a face tracker: a detector and a mesh, without state between calls."""

    def detect(self, frame: Frame) -> list[Detection]:
        """Find all faces, each once, best score first."""
        ...

    def roi_from_detection(self, detection: Detection) -> FaceRoi:
        """Say where to look for the mesh of a detected face."""
        ...

    def upright(self, frame: Frame, roi: FaceRoi) -> FaceRoi:
        """Turn a region by quarters until the face in it is the right way up: detectors mistake lying faces."""
        ...

    def roi_from_landmarks(self, landmarks: np.ndarray) -> FaceRoi:
        """Say where to look in the next frame, from the landmarks of a fit in this one, rough or not."""
        ...

    def fit(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        """Fit the mesh inside each region, all in one batch."""
        ...

    def fit_roughly(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        """Fit the mesh as exactly as following a face takes; :meth:`refined` does the rest for many frames at once."""
        ...

    def refined(self, fits: Sequence[MeshFit]) -> list[np.ndarray]:
        """Complete fits of :meth:`fit_roughly`, of any frames, all in one batch: the landmarks (478, 3) of each."""
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
