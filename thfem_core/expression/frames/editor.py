"""Frames that another system has edited take the source's place."""

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
from ...registry import Resources
from ..request import ExpressionRequest
from .back_end import FramesOptions


class FramesEditor:
    """Replaces the n-th source frame by the n-th edited one; times, size and pixel format stay the source's.

    Tracks and request are not used: the other system has made those choices.
    """

    needs_faces = False

    def __init__(self, options: FramesOptions, resources: Resources | None = None) -> None:
        """Open the edited clip.

        Args:
            options: Which clip: a video, the path of a video file, or that of a folder of pictures.
            resources: Not used: there are no networks.

        Raises:
            InputError: The clip cannot be read.
        """
        edited = options.edited_frames
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
        """See :class:`..editor.ExpressionEditor`.

        Raises:
            InputError: The edited clip has another number of frames, or another shape, than the source.
        """
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
