"""One face of one frame on its way from what is read to what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ...face.crop import FaceCrop
from ...media.frame import Frame
from ...networks.liveportrait.keypoints import FaceMotion, stack_motions


@dataclass(slots=True)
class FaceEdit:
    """One face of one frame.

    crop, picture: where it is, and what the networks see of it. landmarks: (1, 478, 3). amount: strength here.
    weight: how much of the edit is shown. motion: what was read. points: the face to draw, or its keypoints (1, 21, 3).
    pictures: (side, side, 3) float32, drawn as it is (for differences) and edited. The last three are None until known.
    """

    frame: Frame
    crop: FaceCrop
    picture: np.ndarray
    landmarks: Tensor
    amount: float
    weight: float
    motion: FaceMotion | None = None
    points: FaceMotion | Tensor | None = None
    pictures: list[np.ndarray] | None = None

    @property
    def ready(self) -> bool:
        return self.points is not None

    @property
    def keypoints(self) -> Tensor:
        """(1, 21, 3) keypoints to draw, before corrections; they must be known."""
        points = self.points
        assert points is not None
        return points.keypoints() if isinstance(points, FaceMotion) else points


def source_keypoints(edits: Sequence[FaceEdit]) -> Tensor:
    """(N, 21, 3) keypoints of the faces as they are."""
    return stack_motions([edit.motion for edit in edits if edit.motion is not None]).keypoints()
