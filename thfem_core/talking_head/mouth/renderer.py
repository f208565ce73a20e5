"""The mouth network: carries the source's mouth region over to a target mesh, and paints what the source cannot show.

It never paints skin: outside the (softened) lips the result is the warped source, with a small correction of the flow.
What it predicts are smooth fields (weights of the three carriers, flow correction, paint), so they can be brought to
the picture's own resolution, where the source is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FLOW_REACH = 0.02  # largest correction of the flow, as a share of the region's side
PAINT_REACH = 0.6  # largest paint, of the range 0..1
_SOFT = 0.03  # how far paint may reach beyond the lips, as a share of the region's side


@dataclass(frozen=True, kw_only=True, slots=True)
class RendererConfig:
    """Sizes of the renderer.

    size: Side in pixels of the region it is trained on.
    widths: Channels at 1/2, 1/4, 1/8 and 1/16 of the region's side.
    """

    size: int = 128
    widths: tuple[int, ...] = (32, 64, 96, 128)


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(8, inside), nn.SiLU(), nn.Conv2d(inside, outside, 3, padding=1))
        self.second = nn.Sequential(nn.GroupNorm(8, outside), nn.SiLU(), nn.Conv2d(outside, outside, 3, padding=1))
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.skip(x) + self.second(self.first(x))


@dataclass(frozen=True, slots=True)
class Fields:
    """What the renderer predicts: smooth fields that can be brought to any resolution.

    weights: (B, 3, h, w), share of what is carried by mesh, skull and jaw in each pixel; sum 1.
    bend: (B, 2, h, w), correction of the mesh's flow, as a share of the region's side.
    paint: (B, 3, h, w), added to the picture of range 0..1.
    """

    weights: Tensor
    bend: Tensor
    paint: Tensor


def sampling_grid(positions: Tensor, size: int) -> Tensor:
    """Pixel positions (..., 2), first centre at 0.5, of a picture of side ``size`` → the convention of grid_sample."""
    return positions * (2 / size) - 1


def mouth_gate(masks: Tensor) -> Tensor:
    """Soften the mouth's mask: where paint is allowed.

    Args:
        masks: (B, 2, S, S), ``target_masks`` of :class:`.geometry.MouthGeometry`.

    Returns:
        (B, 1, S, S): 1 on the lips and inside, falling softly to 0 around.
    """
    reach = max(1, round(_SOFT * masks.shape[-1]))
    grown = F.max_pool2d(masks[:, 1:], 2 * reach + 1, 1, reach)
    kernel = 2 * reach + 1
    return F.avg_pool2d(F.avg_pool2d(grown, kernel, 1, reach), kernel, 1, reach)


class MouthRenderer(nn.Module):
    """A U-Net at half the region's resolution. See the module."""

    def __init__(self, config: RendererConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or RendererConfig()
        widths = config.widths
        # three carried pictures with the source's mouth mask, two target masks, the gate, motion (2)
        self.stem = nn.Conv2d(4 * (3 * 4 + 2 + 1 + 2), widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for i, width in enumerate(widths):
            self.down.append(_Block(widths[max(0, i - 1)], width))
            if i:
                self.up.append(_Block(width + widths[i - 1], widths[i - 1]))
        self.middle = _Block(widths[-1], widths[-1])
        last = nn.Conv2d(widths[0], 4 * 8, 3, padding=1)
        nn.init.zeros_(last.weight)
        if last.bias is not None:
            nn.init.zeros_(last.bias)
        self.head = nn.Sequential(nn.GroupNorm(8, widths[0]), nn.SiLU(), last)

    def fields(self, source: Tensor, source_mask: Tensor, flows: Tensor, target_masks: Tensor) -> Fields:
        """Predict what is drawn.

        Args:
            source: (B, 3, R, R) in 0..1, the source's region with margin.
            source_mask: (B, R, R), see :class:`.geometry.MouthGeometry`.
            flows: (B, 3, S, S, 2), S any number divisible by 16.
            target_masks: (B, 2, S, S).

        Returns:
            Fields of S × S pixels.
        """
        size, region = flows.shape[2], source.shape[-1]
        picture = torch.cat([source - 0.5, source_mask[:, None]], dim=1)
        grid = sampling_grid(flows, region)
        carried = [F.grid_sample(picture, grid[:, j], padding_mode="border", align_corners=False) for j in range(3)]
        axis = torch.arange(size, device=source.device, dtype=source.dtype) + 0.5
        centres = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
        motion = (flows[:, 0] - centres - (region - size) / 2).permute(0, 3, 1, 2) * (8 / size)
        gate = mouth_gate(target_masks)
        x = self.stem(F.pixel_unshuffle(torch.cat([*carried, target_masks, gate, motion], dim=1), 2))
        kept = []
        for i, block in enumerate(self.down):
            x = block(F.avg_pool2d(x, 2) if i else x)
            kept.append(x)
        x = self.middle(kept.pop())
        for block in reversed(self.up):
            x = block(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), kept.pop()], dim=1))
        out = F.pixel_shuffle(self.head(x), 2)
        choice = torch.cat([out[:, :1] + 4 * (1 - target_masks[:, :1]) + 1, out[:, 1:3]], dim=1)
        # Skin and lips belong to the mesh; only inside the mouth is there a choice.
        weights = choice.softmax(dim=1)
        inner = gate * target_masks[:, 1:]
        weights = torch.cat([1 - inner * (1 - weights[:, :1]), inner * weights[:, 1:]], dim=1)
        return Fields(
            weights=weights,
            bend=FLOW_REACH * torch.tanh(out[:, 3:5]),
            paint=PAINT_REACH * torch.tanh(out[:, 5:]) * gate,
        )

    def forward(self, source: Tensor, source_mask: Tensor, flows: Tensor, target_masks: Tensor) -> Tensor:
        """Draw the region: (B, 3, S, S) in 0..1; arguments as in :meth:`fields`."""
        fields = self.fields(source, source_mask, flows, target_masks)
        return draw(source, flows, fields)


def draw(source: Tensor, flows: Tensor, fields: Fields) -> Tensor:
    """Sample the source by three flows, mix the results, and paint.

    Args:
        source: (B, 3, R, R) in 0..1.
        flows: (B, 3, S, S, 2), pixels of the source region.
        fields: Of the same S.

    Returns:
        (B, 3, S, S) in 0..1.
    """
    region, size = source.shape[-1], flows.shape[2]
    bent = flows[:, :1] + size * fields.bend.permute(0, 2, 3, 1)[:, None]
    grids = sampling_grid(torch.cat([bent, flows[:, 1:]], dim=1), region)
    mesh = F.grid_sample(source, grids[:, 0], mode="bicubic", padding_mode="border", align_corners=False)
    out = fields.weights[:, :1] * mesh
    for j in (1, 2):
        rigid = F.grid_sample(source, grids[:, j], mode="bicubic", padding_mode="border", align_corners=False)
        out = out + fields.weights[:, j : j + 1] * rigid
    return (out + fields.paint).clamp(0, 1)


def warp_only(source: Tensor, flows: Tensor) -> Tensor:
    """Carry the source over by the mesh alone, as is drawn without the network; arguments as in :func:`draw`."""
    grid = sampling_grid(flows[:, 0], source.shape[-1])
    return F.grid_sample(source, grid, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)
