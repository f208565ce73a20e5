"""Emotion from sound by PC-Talk's network: what an emotion adds to the face while these words are spoken."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...audio.speech import Speech
from ...networks.liveportrait.regions import LIP_ROWS
from ...networks.pctalk.motion import EMOTIONS, EmotionNetwork, pure_emotion
from ...networks.pctalk.speech import FRAME_RATE, AudioEncoder, SpeechFeatures


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenEmotion:
    """An emotion through a clip.

    deformation: (L, 21, 3), 25 a second: what is added to keypoints, the neutral face taken off.
    """

    deformation: Tensor

    def at(self, seconds: float) -> Tensor:
        """(21, 3) at a time, linear in between; after the end of the sound it stays."""
        last = len(self.deformation) - 1
        place = min(max(seconds * FRAME_RATE, 0.0), float(last))
        before = min(int(place), last)
        share = place - before
        return (1 - share) * self.deformation[before] + share * self.deformation[min(before + 1, last)]

    @property
    def mean_lips(self) -> Tensor:
        """(6, 3): what the lips do on average."""
        return self.deformation[:, LIP_ROWS].mean(dim=0)


class EmotionFromSound(nn.Module):
    """PC-Talk's sound encoder and emotion network."""

    def __init__(self, encoder: AudioEncoder, emotion: EmotionNetwork) -> None:
        super().__init__()
        self.encoder, self.emotion = encoder, emotion

    @torch.inference_mode()
    def spoken(self, emotion: str, speech: Speech) -> SpokenEmotion:
        """Compute an emotion through a clip, once for all faces.

        Args:
            emotion: One of PC-Talk's eight.
            speech: The clip's sound.

        Returns:
            The emotion; nothing for "neutral".
        """
        assert emotion in EMOTIONS
        features = SpeechFeatures(self.encoder, speech.samples)
        pure = pure_emotion(self.emotion, features, [emotion])
        return SpokenEmotion(deformation=pure[emotion].cpu())
