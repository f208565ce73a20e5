"""The lips of one person through a clip, moved by the sound."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...audio.speech import Speech
from ...media.video import Video
from ..liveportrait.drawing import FaceDrawer
from ..liveportrait.keypoints import FaceMotion
from ..liveportrait.regions import LIP_ROWS
from ..liveportrait.smoothing import KalmanSmoother
from .application import OBSERVATION, articulated
from .motion import LipNetwork, LipRefinement, LipSequence, StyleEncoder
from .speaking_style import read_speaking_style
from .speech import FRAME_RATE, AudioEncoder, SpeechFeatures

_KEPT = 2.56  # seconds for which what was seen and said is kept


class LipsFromSound(nn.Module):
    """PC-Talk's sound encoder and lip network, and the refinement and the style encoder where there are."""

    def __init__(
        self,
        encoder: AudioEncoder,
        lips: LipNetwork,
        refinement: LipRefinement | None = None,
        style_encoder: StyleEncoder | None = None,
    ) -> None:
        super().__init__()
        self.encoder, self.lips, self.refinement, self.style_encoder = encoder, lips, refinement, style_encoder
        self._read: Tensor | None = None

    @torch.inference_mode()
    def style(self, person: int, clip: Video | str | Path | None, drawer: FaceDrawer) -> Tensor:
        """The way of speaking (1, 512): of a person of the training data, or read once from a clip.

        Raises InputError where the clip shows no face.
        """
        if clip is None:
            return self.lips.style(person)
        if self._read is None:
            assert self.style_encoder is not None
            self._read = read_speaking_style(clip, self.style_encoder, drawer)
        return self._read.to(drawer.device)

    def speak(
        self,
        speech: Speech,
        style: Tensor,
        *,
        frame_rate: Fraction,
        scale: float = 1.0,
        factors: Mapping[str, float] | None = None,
    ) -> SpokenLips:
        """Begin with one person, on the device of the networks.

        Args:
            speech: What is said.
            style: (1, 512) the way of speaking.
            frame_rate: Of the clip.
            scale: How far the lips move.
            factors: Of articulations, see :func:`.application.articulated`.
        """
        return SpokenLips(self, speech, style, frame_rate=frame_rate, scale=scale, factors=factors or {})


class SpokenLips:
    """Deformations of one person's lips, asked for in order, once the face was seen somewhat further.

    The refinement reads where the lips of this face are, hence the look-ahead.

    lookahead: Frames of the clip that must have been seen after the one that is asked for, as far as there are any.
    """

    def __init__(
        self,
        networks: LipsFromSound,
        speech: Speech,
        style: Tensor,
        *,
        frame_rate: Fraction,
        scale: float,
        factors: Mapping[str, float],
    ) -> None:
        """Begin with one person; arguments as of :meth:`LipsFromSound.speak`."""
        self._device = style.device
        self._sequence = LipSequence(
            networks.lips,
            SpeechFeatures(networks.encoder, speech.samples),
            style,
            refinement=networks.refinement,
            at_rest=self._at_rest,
        )
        self._scale, self._factors = scale, factors
        self._smoother = KalmanSmoother(OBSERVATION)
        self._given = 0  # frames of the sequence that were smoothed
        self._lips: dict[int, Tensor] = {}
        self._seen: dict[float, Tensor] = {}
        self.lookahead = ceil((networks.lips.period + self._smoother.lookahead + 1) * frame_rate / FRAME_RATE)

    def see(self, seconds: float, motion: FaceMotion) -> None:
        """Take the face (one) at a time of the clip."""
        self._seen[seconds] = motion.undeformed()[0, LIP_ROWS]

    def at(self, seconds: float) -> Tensor:
        """(6, 3) deformation of the lips at a time of the clip; after the end of the sound they hold still."""
        step = max(seconds, 0.0) * FRAME_RATE
        while self._given <= ceil(step) and not self._sequence.finished:
            for lips in self._sequence.next_window().cpu():
                self._take(self._smoother.push(lips.numpy()))
            if self._sequence.finished:
                for smoothed in self._smoother.finish():
                    self._take(smoothed)
        last = max(self._lips)
        before, after = min(int(step), last), min(ceil(step), last)
        share = step - int(step)
        lips = (1 - share) * self._lips[before] + share * self._lips[after]
        return articulated(self._scale * lips[None], self._factors)[0]

    def forget(self, seconds: float) -> None:
        """Nothing from well before a time will be asked for any more."""
        oldest = seconds - _KEPT
        last_seen, last_said = max(self._seen, default=0.0), max(self._lips, default=0)
        self._seen = {time: rest for time, rest in self._seen.items() if time >= oldest or time == last_seen}
        self._lips = {n: lips for n, lips in self._lips.items() if n >= oldest * FRAME_RATE or n == last_said}

    def _at_rest(self, start: int, stop: int) -> Tensor:
        """(stop − start, 6, 3) lip keypoints without expression, from the nearest times that were seen."""
        known = np.array(sorted(self._seen))
        times = np.arange(start, stop) / FRAME_RATE
        nearest = known[np.abs(known[None] - times[:, None]).argmin(axis=1)]
        return torch.stack([self._seen[float(time)] for time in nearest]).to(self._device)

    def _take(self, smoothed: np.ndarray | None) -> None:
        if smoothed is not None:
            self._lips[self._given] = torch.from_numpy(smoothed).float()
            self._given += 1
