"""Faces of evenly spread frames of a clip: what the small training scripts of this folder start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from thfem_core.face.models import FaceModels
from thfem_core.media.file_video import FileVideo
from thfem_core.media.frame import Frame


def faces_of_clip(path: Path, models: FaceModels, frames: int) -> Iterator[tuple[Frame, np.ndarray]]:
    """Yield (frame, landmarks (478, 3)) of the best face of up to ``frames`` evenly spread frames."""
    pictures = list(FileVideo(path).frames())
    for i in np.unique(np.linspace(2, max(2, len(pictures) - 3), frames).astype(int)):
        for detection in models.detect(pictures[i])[:1]:
            first = models.fit(pictures[i], [models.roi_from_detection(detection)])[0]
            fit = models.fit(pictures[i], [models.roi_from_landmarks(first.landmarks)])[0]
            if fit.presence > 0.5:
                yield pictures[i], fit.landmarks
