"""Drawing one person through one clip with PC-Talk: each edited frame, with lips that say what is heard."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
import torch
from torch import Tensor

from ...media.frame import Frame
from ...networks.liveportrait.corrections import Corrections, corrected
from ...networks.liveportrait.crop import CropPath, crop_picture
from ...networks.liveportrait.drawing import FaceDrawer
from ...networks.liveportrait.keypoints import FaceMotion, stack_motions
from ...networks.liveportrait.pasting import difference_patch
from ...networks.liveportrait.regions import LIP_ROWS
from ...networks.liveportrait.smoothing import KalmanSmoother
from ...networks.pctalk.application import OBSERVATION, articulated, with_lips
from ...networks.pctalk.motion import LipNetwork, LipRefinement, LipSequence
from ...networks.pctalk.speech import FRAME_RATE, AudioEncoder, SpeechFeatures
from ..head import AdjacentWindow, FaceClip, FacePatch, PatchOrReason
from .back_end import PcTalkOptions

_READ_AT_ONCE = 8
_KEPT = 64  # frames before the last drawn one whose motion is kept
OUTSIDE = "the face is outside the frame"


class PcTalkSession:
    """One person through one clip (implements :class:`..head.FaceSession`)."""

    def __init__(
        self,
        clip: FaceClip,
        options: PcTalkOptions,
        *,
        drawer: FaceDrawer,
        encoder: AudioEncoder,
        lips: LipNetwork,
        refinement: LipRefinement | None,
    ) -> None:
        """Begin with one person.

        Args:
            clip: The person and the sound.
            options: What the user chose.
            drawer: Reads and draws faces.
            encoder: Hears.
            lips: Moves lips.
            refinement: Corrects them by the face, if there is one.
        """
        assert clip.speech is not None
        self._clip, self._options, self._drawer = clip, options, drawer
        self._crops = CropPath(clip.track, frame_rate=clip.frame_rate)
        self._sequence = LipSequence(
            lips,
            SpeechFeatures(encoder, clip.speech.samples),
            lips.style(options.person),
            refinement=refinement,
            at_rest=self._at_rest,
        )
        self._smoother = KalmanSmoother(OBSERVATION)
        self._given, self._steps = 0, 0  # frames of the sequence that were smoothed, and are in all
        self._lips: dict[int, Tensor] = {}
        self._motions: dict[int, FaceMotion] = {}
        self._unread: list[tuple[int, np.ndarray]] = []
        steps = lips.period + self._smoother.lookahead + 1
        self.lookahead = ceil(steps * clip.frame_rate / FRAME_RATE)

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
        last = max(frames)
        self._motions = {i: m for i, m in self._motions.items() if i >= last - _KEPT or i == max(self._motions)}
        oldest = self._step(last - _KEPT)
        self._lips = {step: lips for step, lips in self._lips.items() if step >= oldest or step == max(self._lips)}
        return [[patches.get(target.index, OUTSIDE) for target in window.targets] for window in windows]

    def _read(self) -> None:
        if self._unread:
            indices, pictures = zip(*self._unread, strict=True)
            self._unread = []
            motions = self._drawer.read(list(pictures))
            self._motions |= {index: motions.rows([row]) for row, index in enumerate(indices)}

    def _step(self, frame: int) -> float:
        """The frame of PC-Talk, 25 a second, that lies at frame ``frame`` of the clip."""
        return frame * FRAME_RATE / float(self._clip.frame_rate)

    def _at_rest(self, start: int, stop: int) -> Tensor:
        """(stop − start, 6, 3) lip keypoints without expression, from the nearest frames that were seen."""
        known = np.array(sorted(self._motions))
        times = np.arange(start, stop) * float(self._clip.frame_rate) / FRAME_RATE
        nearest = known[np.abs(known[None] - times[:, None]).argmin(axis=1)]
        faces = stack_motions([self._motions[int(index)] for index in nearest])
        return faces.undeformed()[:, LIP_ROWS].to(self._drawer.device)

    def _lips_at(self, step: float) -> Tensor:
        """(6, 3) smoothed deformation at a time of the sound; after its end the lips hold still."""
        while self._given <= ceil(step) and not self._sequence.finished:
            for lips in self._sequence.next_window().cpu():
                self._take(self._smoother.push(lips.numpy()))
            if self._sequence.finished:
                for smoothed in self._smoother.finish():
                    self._take(smoothed)
        last = max(self._lips)
        before, after = min(int(step), last), min(ceil(step), last)
        share = step - int(step)
        return (1 - share) * self._lips[before] + share * self._lips[after]

    def _take(self, smoothed: np.ndarray | None) -> None:
        if smoothed is not None:
            self._lips[self._given] = torch.from_numpy(smoothed).float()
            self._given += 1

    def _draw(self, frames: Sequence[Frame]) -> dict[int, PatchOrReason]:
        faces = stack_motions([self._motions[frame.index] for frame in frames])
        lips = torch.stack([self._lips_at(self._step(frame.index)) for frame in frames])
        options = self._options
        factors = {name: getattr(options, name) for name in ("pursing", "widening", "opening")}
        lips = articulated(options.lip_scale * lips, factors)
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
