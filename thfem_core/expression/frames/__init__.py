"""Expression editor "frames": frames that another SPFEM system has edited already take the source's place."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import closing
from fractions import Fraction

import cv2
import numpy as np
import torch

from ...errors import InputError
from ...face.tracking.track import FaceTrack
from ...media.frame import Box, Frame
from ...media.open_video import open_video
from ...media.video import Video
from ..request import ExpressionRequest


class FramesEditor:
    """Replaces the n-th source frame by the n-th of ``edited``: a Video, a video file, or a folder of images.

    The source keeps its times, size and pixel format. Tracks and request are not used: the other system has made
    those choices. Raises InputError where the numbers of frames or the aspect ratios differ.
    """

    needs_faces = False

    def __init__(self, *, edited: Video | str | os.PathLike[str]) -> None:
        self._edited: Video = open_video(edited) if isinstance(edited, (str, os.PathLike)) else edited

    def edit(
        self,
        frames: Generator[Frame, None, None],
        tracks: Sequence[FaceTrack],
        request: ExpressionRequest,
        *,
        frame_rate: Fraction,
        device: torch.device,
    ) -> Generator[Frame, None, None]:
        count = 0
        with closing(frames), closing(self._edited.frames()) as replacement:
            for frame in frames:
                edited = next(replacement, None)
                if edited is None:
                    raise self._count_error(count + 1 + sum(1 for _ in frames), count)
                count += 1
                yield self._replace(frame, edited)
            surplus = sum(1 for _ in replacement)
            if surplus:
                raise self._count_error(count, count + surplus)

    def _count_error(self, source_count: int, edited_count: int) -> InputError:
        return InputError(
            f"the source has {source_count} frames but {self._edited.info.name} has {edited_count}; "
            "give edited frames of exactly this source"
        )

    def _replace(self, frame: Frame, edited: Frame) -> Frame:
        rgb = edited.rgb()
        size = (frame.width, frame.height)
        if (edited.width, edited.height) != size:
            if abs(edited.width * frame.height / frame.width - edited.height) > 1.0:
                raise InputError(
                    f"{self._edited.info.name} is {edited.width}x{edited.height}, another shape than the source's "
                    f"{frame.width}x{frame.height}; give edited frames of the same shape"
                )
            shrinks = edited.width > frame.width
            rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
        return frame.paste(Box(0, 0, *size), rgb, np.ones(size[::-1], np.float32))
