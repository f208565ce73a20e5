"""NED's renderer: a face from condition pictures of three frames and its own two frames before."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONDITION = 10  # channels of one frame: NMFC 3, eyes 3, shape 3, mask 1
FRAMES = 3
RESIDUAL = 9  # blocks at the bottom, of which the last four follow the sum of both branches


class ImageNorm(nn.InstanceNorm2d):
    """Instance norm by the image's own statistics, also in inference.

    The published checkpoints hold running statistics, but the published inference never left training mode and so
    never used them.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, track_running_stats=True)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, H, W) per image and channel."""
        return F.instance_norm(x, eps=self.eps)


class ResidualBlock(nn.Module):
    """x + norm(conv(relu(norm(conv x)))), nothing after the sum. Checkpoints name its layers twice."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.resnetblock_sequential = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            ImageNorm(channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            ImageNorm(channels),
        )
        self.conv_block = self.resnetblock_sequential

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same shape."""
        return x + self.conv_block(x)


def _encoder(channels: int, width: int, blocks: int) -> nn.Sequential:
    """Input channels → 8 · width at an eighth of the size."""
    layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(channels, width, 7), ImageNorm(width), nn.ReLU()]
    for step in range(3):
        inner = width * 2**step
        layers += [nn.Conv2d(inner, 2 * inner, 3, stride=2, padding=1), ImageNorm(2 * inner), nn.ReLU()]
    return nn.Sequential(*layers, *(ResidualBlock(8 * width) for _ in range(blocks)))


class FaceRenderer(nn.Module):
    """Draw a face from condition pictures (Head2Head's layout of pix2pixHD)."""

    def __init__(self, width: int = 64) -> None:
        """Build the network.

        Args:
            width: Channels at full size; the published networks have 64.
        """
        super().__init__()
        after = RESIDUAL // 2
        self.model_down_seg = _encoder(FRAMES * (CONDITION - 1), width, RESIDUAL - after)
        self.model_down_img = _encoder((FRAMES - 1) * 3, width, RESIDUAL - after)
        self.model_res_img = nn.Sequential(*(ResidualBlock(8 * width) for _ in range(after)))
        up: list[nn.Module] = []
        for step in (8, 4, 2):
            inner = width * step // 2
            up += [
                nn.ConvTranspose2d(width * step, inner, 3, stride=2, padding=1, output_padding=1),
                ImageNorm(inner),
                nn.ReLU(),
            ]
        self.model_up_img = nn.Sequential(*up)
        self.model_final_img = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())

    def forward(self, conditions: Tensor, previous: Tensor) -> Tensor:
        """Draw the last of three frames.

        Args:
            conditions: Condition pictures (B, 30, H, W) in 0..1, oldest frame first; per frame NMFC, eyes, shape
                (three channels each) and the face mask.
            previous: The two frames drawn before (B, 6, H, W) in -1..1, oldest first; zeros at the start of a clip.

        Returns:
            The frame (B, 3, H, W) in -1..1, black outside its mask.
        """
        per_frame = conditions.unflatten(1, (FRAMES, CONDITION))
        mask = per_frame[:, -1, -1:]
        features = self.model_down_seg(per_frame[:, :, :-1].flatten(1, 2)) + self.model_down_img(previous)
        image = self.model_final_img(self.model_up_img(self.model_res_img(features)))
        return image * mask - (1 - mask)


class RenderedClip:
    """Draw a clip frame by frame; each frame needs the conditions of the two before and what was drawn for them."""

    def __init__(self, renderer: FaceRenderer) -> None:
        self._renderer = renderer
        self._conditions: list[Tensor] = []
        self._previous: list[Tensor] = []

    @torch.inference_mode()
    def draw(self, condition: Tensor) -> Tensor | None:
        """Draw the next frame.

        Args:
            condition: Its condition pictures (10, H, W) in 0..1.

        Returns:
            The frame (3, H, W) in -1..1, or None for the first two frames of a clip.
        """
        self._conditions = [*self._conditions[-(FRAMES - 1) :], condition]
        if len(self._conditions) < FRAMES:
            return None
        if not self._previous:
            self._previous = [condition.new_zeros(3, *condition.shape[1:])] * (FRAMES - 1)
        drawn: Tensor = self._renderer(torch.cat(self._conditions)[None], torch.cat(self._previous)[None])[0]
        self._previous = [*self._previous[1:], drawn]
        return drawn
