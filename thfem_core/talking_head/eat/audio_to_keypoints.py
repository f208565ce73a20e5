"""EAT's audio-to-keypoint transformer: sound, head pose, face and emotion of a moment → expression coefficients.

Split into what depends on one frame of the clip (:meth:`AudioToKeypoints.frame_tokens`), on one source picture
(:meth:`AudioToKeypoints.face_map`) and on one drawn frame (the rest), so that nothing is computed twice.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .adapter import EmotionAdapter
from .audio_encoder import AudioEncoder
from .down_res import TokenPyramid
from .emotion_prompt import WIDTH, EmotionPrompts
from .f0_network import F0Network
from .head_pose import HeadPoseEstimate, pose_vector
from .keypoint_detector import KEYPOINTS
from .transformers import Decoder, Encoder, Positions

STEPS = 11  # frames of sound and pose around a drawn frame: 5 before, itself, 5 after
CENTRE = 5
COEFFICIENTS = 32
_SLOPE = 0.02


class _Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()


class AudioToKeypoints(nn.Module):
    """The transformer. Shapes: F frames of a clip, N drawn frames (each with 11 steps), S source pictures."""

    unused: ClassVar[tuple[str, ...]] = ("embedding",)

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(41, 256)
        self.face_shrink = nn.Linear(KEYPOINTS * 16, 32)
        self.hp_extractor = nn.Linear(45, WIDTH)
        self.pos_enc = Positions()
        convolutions = [nn.Conv1d(a, b, 3, 2, 1) for a, b in ((29, 32), (32, 32), (32, 64), (64, 64))]
        self.audio_embedding = nn.Sequential(
            *(layer for convolution in convolutions for layer in (convolution, nn.LeakyReLU(_SLOPE)))
        )
        self.encoder_fc1 = nn.Sequential(nn.Linear(192, WIDTH), nn.LeakyReLU(_SLOPE), nn.Linear(WIDTH, WIDTH))
        self.audio_embedding2 = nn.Sequential(
            nn.Conv2d(1, 8, (3, 17), padding=(1, 0)), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 32, 13, padding=6)
        )
        self.audioencoder = AudioEncoder()
        self.fea = EmotionAdapter()
        self.decodefeature_extract = TokenPyramid(64, 32, 48, 64, 96, WIDTH)
        self.feature_extract = TokenPyramid(1, 32, 64, 128, 128, WIDTH)
        self.transformer = _Transformer()
        self.kp = nn.Linear(WIDTH, COEFFICIENTS)
        self.f0_model = F0Network()

    def frame_tokens(self, pose_images: Tensor, speech: Tensor) -> Tensor:
        """Encode frames: pose images (F, 1, 64, 64) in 0..255 and DeepSpeech windows (F, 16, 29) → (F, 128)."""
        pose = self.feature_extract(pose_images)
        spoken = self.audio_embedding(speech.transpose(1, 2)).flatten(1)
        return self.encoder_fc1(torch.cat([pose, spoken], dim=1))

    def head_token(self, pose: HeadPoseEstimate) -> Tensor:
        """Encode the poses of the drawn frames themselves: (N, 128)."""
        return self.hp_extractor(pose_vector(pose))

    def face_map(self, logits: Tensor, emotion: Tensor) -> Tensor:
        """Encode faces: keypoint logits (S, 15, 16, 64, 64) and emotion (S or 1, 128) → (S, 32, 64, 64)."""
        shrunk = self.face_shrink(logits.flatten(1, 2).flatten(2).transpose(1, 2))
        return self.fea(shrunk.transpose(1, 2).unflatten(2, logits.shape[3:]), emotion)

    def sound(self, mel: Tensor, emotion: Tensor) -> Tensor:
        """Encode sound: mel windows (N, 1, 80, 11) and emotion (N or 1, 128) → (N, 11, 32, 64, 64), a map per step."""
        encoded = self.audioencoder(mel, self.f0_model(mel), emotion)
        return self.audio_embedding2(encoded.permute(0, 3, 1, 2).flatten(0, 1)[:, None]).unflatten(0, (-1, STEPS))

    def face_tokens(self, sound: Tensor, face: Tensor) -> Tensor:
        """Sound maps (N, 11, 32, 64, 64) beside face maps (N or 1, 32, 64, 64) → (N, 11, 128)."""
        faces = face[:, None].expand(len(sound), STEPS, -1, -1, -1)
        maps = torch.cat([sound, faces], dim=2)
        return self.decodefeature_extract(maps.flatten(0, 1)).unflatten(0, (-1, STEPS))

    def coefficients(self, tokens: Tensor, face_tokens: Tensor, head: Tensor, deep: Tensor) -> Tensor:
        """Frame tokens (N, 11, 128) of each window, face tokens (N, 11, 128), head tokens (N, 128) and deep prompts
        (N or 1, 6, 128) → (N, 32)."""
        deep = deep.expand(len(tokens), -1, -1)
        ends = [head[:, None], deep[:, :1]]
        memory = self.transformer.encoder(self.pos_enc(torch.cat([tokens, *ends], dim=1)), deep)
        decoded = self.transformer.decoder(self.pos_enc(torch.cat([face_tokens, *ends], dim=1)), memory, deep)
        return self.kp(decoded[:, CENTRE])

    def forward(
        self,
        *,
        mel: Tensor,
        speech: Tensor,
        pose_images: Tensor,
        poses: HeadPoseEstimate,
        logits: Tensor,
        prompts: EmotionPrompts,
    ) -> tuple[Tensor, Tensor]:
        """One window without caching, for tests and training: mel (N, 1, 80, 11), speech (N, 11, 16, 29), pose images
        (N, 11, 1, 64, 64), poses of N frames, logits of the one source → coefficients (N, 32), face map."""
        face = self.face_map(logits, prompts.emotion)
        tokens = self.frame_tokens(pose_images.flatten(0, 1), speech.flatten(0, 1)).unflatten(0, (-1, STEPS))
        faces = self.face_tokens(self.sound(mel, prompts.emotion), face)
        return self.coefficients(tokens, faces, self.head_token(poses), prompts.deep), face


def expression_vector(coefficients: Tensor, deformation: Tensor, basis: Tensor, mean: Tensor, volume: Tensor) -> Tensor:
    """Turn coefficients into keypoint offsets.

    Args:
        coefficients: (N, 32), of the first columns of ``basis``.
        deformation: (N or 1, 45), the emotion's own offsets.
        basis: (45, 45).
        mean: (45,).
        volume: (N or 1,), size of the face; scales all offsets.

    Returns:
        (N, 45).
    """
    offsets = F.linear(coefficients.float(), basis[:, :COEFFICIENTS]) + mean + deformation.float()
    return offsets * volume[:, None]
