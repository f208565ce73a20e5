"""Drawing one person through one clip with PC-Talk: each edited frame, with lips that say what is heard."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...media.frame import Frame
from ...networks.liveportrait.corrections import Corrections, corrected
from ...networks.liveportrait.crop import CropPath, crop_picture
from ...networks.liveportrait.drawing import FaceDrawer
from ...networks.liveportrait.keypoints import FaceMotion, stack_motions
from ...networks.liveportrait.pasting import difference_patch
from ...networks.pctalk.application import with_lips
from ...networks.pctalk.spoken_lips import SpokenLips
from ..head import AdjacentWindow, FaceClip, FacePatch, PatchOrReason

_READ_AT_ONCE = 8
_KEPT = 64  # frames before the last drawn one whose motion is kept
OUTSIDE = "the face is outside the frame"


class PcTalkSession:
    """One person through one clip (implements :class:`..head.FaceSession`)."""

    def __init__(self, clip: FaceClip, *, drawer: FaceDrawer, lips: SpokenLips) -> None:
        """Begin with one person.

        Args:
            clip: The person and the sound.
            drawer: Reads and draws faces.
            lips: What the lips say.
        """
        self._clip, self._drawer, self._lips = clip, drawer, lips
        self._crops = CropPath(clip.track, frame_rate=clip.frame_rate)
        self._motions: dict[int, FaceMotion] = {}
        self._unread: list[tuple[int, np.ndarray]] = []
        self.lookahead = lips.lookahead

    def observe(self, frame: Frame) -> None:
        """See an edited frame (see :meth:`..head.FaceSession.observe`)."""
        picture = crop_picture(frame, self._crops, self._drawer.side)
        if picture is not None:
            self._unread.append((frame.index, picture))
            if len(self._unread) >= _READ_AT_ONCE:
                self._read()

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[PatchOrReason]]:
        """Draw windows (see :meth:`..head.FaceSession.predict`)."""
        self._read()
        frames = {target.index: target for window in windows for target in window.targets}
        seen = [frame for frame in frames.values() if frame.index in self._motions]
        patches: dict[int, PatchOrReason] = {}
        for start in range(0, len(seen), self._drawer.batch):
            patches |= self._draw(seen[start : start + self._drawer.batch])
        oldest = max(frames) - _KEPT
        self._motions = {i: m for i, m in self._motions.items() if i >= oldest or i == max(self._motions)}
        self._lips.forget(self._seconds(oldest))
        return [[patches.get(target.index, OUTSIDE) for target in window.targets] for window in windows]

    def _read(self) -> None:
        if self._unread:
            indices, pictures = zip(*self._unread, strict=True)
            self._unread = []
            motions = self._drawer.read(list(pictures))
            for row, index in enumerate(indices):
                self._motions[index] = motions.rows([row])
                self._lips.see(self._seconds(index), self._motions[index])

    def _seconds(self, frame: int) -> float:
        return frame / float(self._clip.frame_rate)

    def _draw(self, frames: Sequence[Frame]) -> dict[int, PatchOrReason]:
        faces = stack_motions([self._motions[frame.index] for frame in frames])
        lips = torch.stack([self._lips.at(self._seconds(frame.index)) for frame in frames])
        speaking = faces._replace(expression=with_lips(faces.expression, faces.scale, lips))
        source = faces.keypoints()

        def stitched(points: Tensor) -> Tensor:
            return self._drawer.on_device(
                lambda a, b: corrected(self._drawer.networks, a, b, Corrections()), source, points
            )

        pictures = []
        for frame in frames:
            picture = crop_picture(frame, self._crops, self._drawer.side)
            assert picture is not None
            pictures.append(picture)
        unchanged, spoken = self._drawer.draw(pictures, source, [stitched(source), stitched(speaking.keypoints())])
        patches: dict[int, PatchOrReason] = {}
        for row, frame in enumerate(frames):
            crop = self._crops.at(frame.index)
            assert crop is not None
            placed = difference_patch(frame, crop, unchanged[row], spoken[row])
            if placed is not None:
                box, rgb, alpha = placed
                patches[frame.index] = FacePatch(box=box, rgb=rgb, alpha=alpha)
            else:
                patches[frame.index] = "the lips say this already"
        return patches
