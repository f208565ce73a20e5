"""Who says what is in front of a face: the network, or a mask of the user's own."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

import cv2
import numpy as np
import torch

from ...errors import InputError
from ...media.frame import Box, Frame
from ...media.video import Video
from ..crop import FaceCrop, pixel_matrix
from .cover import FIELD
from .crop import occlusion_crop
from .face_mask import FaceMask, face_mask
from .loading import load_occlusion_net


class OcclusionSource(Protocol):
    """Says what covers faces, frame by frame.

    steady: Whether its masks are steady over time already.
    """

    steady: bool

    def begin(self, frame: Frame) -> None:
        """Go on to a frame; every frame of the clip is given once, in order."""
        ...

    def face(self, frame: Frame, landmarks: np.ndarray) -> FaceMask | None:
        """Tell what covers a face (478, 3) of the frame begun last; None where it lies outside."""
        ...

    def whole(self) -> tuple[Box, np.ndarray] | None:
        """What of the frame begun last is kept whatever the faces are: a box and opacity (h, w) float32, or None."""
        ...

    def close(self) -> None:
        """Give back what is held for one pass over the clip."""
        ...


class NetworkOcclusion:
    """The embedded network."""

    steady = False

    def __init__(self, device: torch.device) -> None:
        """Load the network.

        Args:
            device: Where it runs.

        Raises:
            WeightsError: Its file is missing or damaged.
        """
        self._net = load_occlusion_net(device)

    def begin(self, frame: Frame) -> None:
        """See :meth:`OcclusionSource.begin`."""

    def face(self, frame: Frame, landmarks: np.ndarray) -> FaceMask | None:
        """See :meth:`OcclusionSource.face`."""
        return face_mask(frame, landmarks, self._net)

    def whole(self) -> None:
        """See :meth:`OcclusionSource.whole`."""
        return

    def close(self) -> None:
        """See :meth:`OcclusionSource.close`."""


class MaskVideo:
    """A mask of the user's: white where something stays in front. A picture stands for all frames."""

    steady = True

    def __init__(self, video: Video) -> None:
        """Use a clip.

        Args:
            video: As many frames as the clip that is edited, or one picture; of any size, scaled to the clip's.
        """
        self._video = video
        self._frames: Generator[Frame, None, None] | None = None
        self._mask: np.ndarray | None = None

    def begin(self, frame: Frame) -> None:
        """See :meth:`OcclusionSource.begin`.

        Raises:
            InputError: The mask ends before the clip.
        """
        if self._video.info.is_still and self._mask is not None:
            return
        if self._frames is None:
            self._frames = self._video.frames()
        seen = next(self._frames, None)
        if seen is None:
            raise InputError(
                f"the occlusion mask {self._video.info.name} ends before frame {frame.index} of the clip; give a mask "
                "of as many frames, or one picture"
            )
        grey = seen.rgb().max(axis=2)
        if grey.shape != (frame.height, frame.width):
            grey = cv2.resize(grey, (frame.width, frame.height), interpolation=cv2.INTER_LINEAR)
        self._mask = grey.astype(np.float32) / 255

    def face(self, frame: Frame, landmarks: np.ndarray) -> FaceMask | None:
        """See :meth:`OcclusionSource.face`."""
        assert self._mask is not None
        crop = occlusion_crop(landmarks)
        box = crop.box(frame)
        if not box.width or not box.height:
            return None
        return FaceMask(crop=crop, covered=_cut(self._mask, crop))

    def whole(self) -> tuple[Box, np.ndarray] | None:
        """See :meth:`OcclusionSource.whole`."""
        assert self._mask is not None
        rows, columns = np.flatnonzero(self._mask.any(axis=1)), np.flatnonzero(self._mask.any(axis=0))
        if not len(rows):
            return None
        box = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        return box, self._mask[box.y0 : box.y1, box.x0 : box.x1]

    def close(self) -> None:
        """See :meth:`OcclusionSource.close`."""
        if self._frames is not None:
            self._frames.close()
        self._frames = self._mask = None


def _cut(mask: np.ndarray, crop: FaceCrop) -> np.ndarray:
    """Sample a mask (H, W) of the whole frame over a square: (FIELD, FIELD) float32, what is thin grown to a sample."""
    if crop.side > FIELD:
        reach = int(np.ceil(crop.side / FIELD))
        mask = cv2.dilate(mask, np.ones((reach, reach), np.uint8))
    matrix = pixel_matrix(crop.matrix(FIELD))
    sampled: np.ndarray = cv2.warpAffine(mask, matrix, (FIELD, FIELD), borderMode=cv2.BORDER_CONSTANT)
    return sampled
