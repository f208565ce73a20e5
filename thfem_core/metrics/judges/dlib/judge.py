"""dlib's face-recognition ResNet as a judge."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import WeightsError
from ....options import Options
from ....registry import Resources
from ..loading import missing_package
from ..protocol import FaceFeatures
from .back_end import BACK_END

_CHIP = 150  # pixels of the picture that dlib's network takes


class DlibIdentity:
    """Features (128) of dlib's own 150² chip, found by its five-point predictor inside the mesh's box."""

    spec, width = BACK_END, 128

    def __init__(self, dlib: Any, network: Any, points: Any) -> None:
        self._dlib, self._network, self._points = dlib, network, points

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        (x0, y0), (x1, y1) = landmarks[:468, :2].min(axis=0), landmarks[:468, :2].max(axis=0)
        box = self._dlib.rectangle(int(x0), int(y0), int(x1), int(y1))
        chip: np.ndarray = self._dlib.get_face_chip(picture, self._points(picture, box), size=_CHIP, padding=0.25)
        return chip

    def features(self, crops: np.ndarray) -> FaceFeatures:
        vectors = [self._network.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in crops]
        return FaceFeatures(vectors=np.array(vectors, np.float32))


def load_dlib(options: Options, resources: Resources) -> DlibIdentity:
    """Load the models of the package face_recognition_models.

    Raises:
        WeightsError: A package is not installed, or its models cannot be read.
    """
    package = find_spec("face_recognition_models")
    try:
        dlib: Any = import_module("dlib")
    except ImportError:
        dlib = None
    if dlib is None or package is None or not package.submodule_search_locations:
        raise missing_package("the dlib identity measure", "dlib-bin face_recognition_models==0.3.0")
    # The package itself is not imported: it needs a part of setuptools that new versions have dropped.
    models = Path(package.submodule_search_locations[0]) / "models"
    try:
        network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
        points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    except RuntimeError as error:
        raise WeightsError(f"{models} holds no dlib models that can be read ({error}); install it again") from None
    return DlibIdentity(dlib, network, points)
