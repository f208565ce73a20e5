"""EAT's generator: the source picture, warped by keypoints and drawn anew."""

from __future__ import annotations

from torch import Tensor

from ...networks.appearance_volume import CHANNELS, SourceAppearance, VolumeEncoder, VolumeWarp
from ...networks.spade_decoder import SpadeDecoder
from .adapter import EmotionAdapter
from .keypoint_detector import KEYPOINTS


class Generator(VolumeEncoder, VolumeWarp):
    """Source pictures (S, 3, 256, 256) RGB in 0..1 → pictures (N, 3, 256, 256) in 0..1."""

    def __init__(self) -> None:
        super().__init__(keypoints=KEYPOINTS)
        self.decoder = SpadeDecoder()
        self.ea3d = EmotionAdapter(CHANNELS)

    def accelerate(self) -> None:
        """For inference in float32 on a CPU, after folding: fewer multiplications, the same pictures."""
        self.decoder.accelerate()
        self.accelerate_encoder()
        self.accelerate_warp()

    def encode(self, images: Tensor, emotion: Tensor) -> SourceAppearance:
        """Appearance of source pictures, adapted to ``emotion`` (S or 1, 128)."""
        return self.appearance(self.ea3d(self.encode_volume(images), emotion))

    def forward(self, appearance: SourceAppearance, source: Tensor, driving: Tensor) -> Tensor:
        return self.decoder(self.warp(appearance, self.motion(appearance, source, driving)))
