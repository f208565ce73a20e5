"""The package's judges, asked about single pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from thfem_core.metrics.frechet import unit_rows
from thfem_core.metrics.judges.protocol import FaceFeatures, FeatureExtractor
from thfem_core.metrics.judges.spec import judge_spec, judges
from thfem_core.registry import Resources

EXPRESSION = ("mini-xception", "small-vgg", "face-api")
IDENTITY = ("mobilefacenet", "dlib")


def load_at_hand(names: Sequence[str], folder: Path) -> list[FeatureExtractor]:
    """Load those of the named judges whose files (in ``folder`` or a usual place) and packages are on this machine."""
    resources = Resources(folders=(folder,))
    found = [judges.create(name, resources=resources) for name in names if judge_spec(name).is_at_hand((folder,))]
    return cast("list[FeatureExtractor]", found)


def probabilities(judge: FeatureExtractor, frames: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
    """Ask an expression judge.

    Args:
        judge: Who is asked.
        frames: T pictures (H, W, 3) uint8.
        landmarks: (T, 478, 2) or (T, 478, 3) pixels, NaN without a face.

    Returns:
        (T, 7) in the order of EMOTIONS; NaN where there is no face.
    """
    return _rows(judge, frames, landmarks, "emotions")


def embeddings(judge: FeatureExtractor, frames: Sequence[np.ndarray], landmarks: np.ndarray) -> np.ndarray:
    """Ask an identity judge, as :func:`probabilities`.

    Returns:
        Unit vectors (T, D); NaN where there is no face.
    """
    return unit_rows(_rows(judge, frames, landmarks, "vectors"))


def _rows(judge: FeatureExtractor, frames: Sequence[np.ndarray], landmarks: np.ndarray, what: str) -> np.ndarray:
    seen = [i for i in range(len(frames)) if np.isfinite(landmarks[i, 0, 0])]
    width = 7 if what == "emotions" else judge.width
    rows = np.full((len(frames), width), np.nan, np.float32)
    if seen:
        found: FaceFeatures = judge.features(np.stack([judge.crop(frames[i], landmarks[i]) for i in seen]))
        rows[seen] = getattr(found, what)
    return rows


def mean_cosine(source: np.ndarray, output: np.ndarray) -> float:
    """Mean cosine of frame-paired unit embeddings (T, D); NaN if no frame has both."""
    cosine = (source * output).sum(axis=1)
    cosine = cosine[np.isfinite(cosine)]
    return float(cosine.mean()) if cosine.size else float("nan")
