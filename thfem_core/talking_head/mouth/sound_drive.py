"""Mouths that sound calls for: the motion network along one clip."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch

from ...audio.profile import COMPACT
from ...audio.window import audio_windows
from ...media.frame import Frame
from ..head import AdjacentWindow, FaceClip
from .coefficients import MouthBasis
from .motion import FRAME_RATE, MotionNet
from .mouth_track import Mouth, MouthTrack
from .speaking_style import SpeakingStyle

CLEARLY_SEEN = 0.5  # track weight from which on a mouth is seen well


def past_frames(motion: MotionNet, frame_rate: Fraction) -> int:
    """How many frames before a source the motion network looks at."""
    return _clip_frames(motion.config.past, frame_rate)


def _clip_frames(steps: int, frame_rate: Fraction) -> int:
    """Frames of the clip in so many frames of the motion network."""
    return round(steps * frame_rate / FRAME_RATE)


class SoundDrive:
    """Predicts mouth coefficients from the sound of one clip."""

    def __init__(
        self,
        clip: FaceClip,
        *,
        motion: MotionNet,
        basis: MouthBasis,
        style: SpeakingStyle,
        mouths: MouthTrack,
        amount: float,
    ) -> None:
        """Begin with one person.

        Args:
            clip: The person and the sound.
            motion: The motion network, on the clip's device.
            basis: What its coefficients mean.
            style: How the person speaks.
            mouths: The mouths observed so far.
            amount: Factor on the predicted motion.
        """
        self._clip, self._motion, self._basis, self._style = clip, motion, basis, style
        self._mouths, self._amount = mouths, amount
        self._speech: dict[Fraction, torch.Tensor] = {}  # moment → (2, K), see MotionNet.encode_speech
        self._silence: torch.Tensor | None = None

    def encode(self, frames: Sequence[Frame]) -> None:
        """Encode the sound at the moments of frames, as far as that is not done yet."""
        speech = self._clip.speech
        times = [frame.time for frame in frames if frame.time not in self._speech]
        if speech is None or not times:
            return
        columns = audio_windows(speech, times, profile=COMPACT, steps=self._motion.config.steps, normalise=True)
        if self._silence is None:
            columns = torch.cat([columns, torch.full_like(columns[:1], COMPACT.silence)])
        style = torch.from_numpy(self._style.vector)[None].expand(len(columns), -1)
        with torch.no_grad():
            device = self._clip.device
            encoded = self._motion.encode_speech(columns.to(device), style.to(device))[:, 0].cpu()
        self._speech |= dict(zip(times, encoded, strict=False))
        if self._silence is None:
            self._silence = encoded[-1]

    def forget(self, window: AdjacentWindow) -> None:
        """Drop the moments that no window after this one needs."""
        since, source = window.targets[0].time, window.source.time
        self._speech = {time: code for time, code in self._speech.items() if time == source or time >= since}

    def coefficients(self, source_frame: Frame, source: Mouth, frame: Frame) -> np.ndarray:
        """Move the source's mouth as the sound says (paper, Eq. 3).

        Args:
            source_frame: The window's source; its sound is encoded already.
            source: Its mouth.
            frame: The frame to draw; its sound is encoded already.

        Returns:
            float (K,), mouth coefficients of the frame in face units.
        """
        spread = self._basis.spread
        mouth = self._basis.read(source.edited)
        if self._style.is_still:
            # The mouth of a picture may be anything: it is taken as what the person's mouth is in silence, and the
            # frame as far away, where the source's mouth no longer tells what follows.
            assert self._silence is not None
            before, to_mean, past = self._silence, np.zeros_like(mouth), None
            distance = self._motion.config.distances
        else:
            before = self._speech[source_frame.time]
            to_mean = (self._style.mean - self._basis.read(source.original)) / spread
            distance = round((frame.time - source_frame.time) * FRAME_RATE)
            past = self._past(source_frame.index)
        change = self._motion.change(
            before,
            self._speech[frame.time],
            torch.tensor(distance),
            torch.from_numpy(to_mean.astype(np.float32)),
            past,
        )
        moved: np.ndarray = mouth + self._amount * change.numpy() * spread
        return moved

    def _past(self, index: int) -> torch.Tensor:
        """(past, K): how the edited mouth moved up to a source frame; 0 from where it is not seen well."""
        count = self._motion.config.past
        mouths: list[np.ndarray] = []
        for steps in range(count + 1):
            mouth = self._mouths.fitted(index - _clip_frames(steps, self._clip.frame_rate))
            if mouth is None or mouth.weight < CLEARLY_SEEN:
                break
            mouths.append(self._basis.read(mouth.edited) / self._basis.spread)
        past = np.zeros((count, self._basis.size), np.float32)
        if len(mouths) > 1:
            past[: len(mouths) - 1] = -np.diff(np.stack(mouths), axis=0)
        return torch.from_numpy(past)
