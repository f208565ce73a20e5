"""A 3 × 3 (× 3) convolution of a map that was enlarged by repeating pixels, computed at the map's own resolution.

Neighbouring taps that fall on the same small pixel are added beforehand. For a factor of 2 every drawn pixel then needs
2 × 2 taps instead of 3 × 3; for larger factors the pixels between the first and last of a repeated run are all equal.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# How three taps add up on the small map, and how far the first of the sums lies before the pixel itself.
_Phase = tuple[tuple[tuple[float, float, float], ...], int]
_FIRST: _Phase = (((1.0, 0.0, 0.0), (0.0, 1.0, 1.0)), 1)
_MIDDLE: _Phase = (((1.0, 1.0, 1.0),), 0)
_LAST: _Phase = (((1.0, 1.0, 0.0), (0.0, 0.0, 1.0)), 0)


class EnlargedConv(nn.Module):
    """The same map as nearest-neighbour enlargement of height and width by ``factor``, then ``convolution`` (kernel 3,
    padding 1, 2-D or 3-D): (B, in, [D,] H, W) → (B, out, [D,] factor · H, factor · W). Depth is kept."""

    bias: Tensor | None

    def __init__(self, convolution: nn.Conv2d | nn.Conv3d, factor: int) -> None:
        super().__init__()
        weight = convolution.weight.detach().double()
        if set(weight.shape[2:]) != {3} or set(convolution.padding) != {1} or set(convolution.stride) != {1}:
            raise ValueError(f"{convolution} is not a 3 × 3 convolution with padding 1; leave it as it is")
        self.factor = factor
        phases: list[tuple[_Phase, slice]] = [(_FIRST, slice(0, 1)), (_LAST, slice(factor - 1, factor))]
        if factor > 2:
            phases.insert(1, (_MIDDLE, slice(1, factor - 1)))
        self._places: list[tuple[int, int, slice, slice]] = []
        for (vertical, up), rows in phases:
            for (horizontal, left), columns in phases:
                sums = (
                    torch.tensor(taps, dtype=torch.float64, device=weight.device) for taps in (vertical, horizontal)
                )
                kernel = torch.einsum("ay,bx,...yx->...ab", *sums, weight)
                self.register_buffer(f"weight_{len(self._places)}", kernel.to(convolution.weight.dtype).contiguous())
                self._places.append((up, left, rows, columns))
        bias = convolution.bias
        self.register_buffer("bias", None if bias is None else bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        flat = x.dim() == 4
        height, width = x.shape[-2:]
        convolve = F.conv2d if flat else F.conv3d
        padded = F.pad(x, (1, 1, 1, 1))
        depth = () if flat else (x.shape[2],)
        result: Tensor | None = None
        for number, (up, left, rows, columns) in enumerate(self._places):
            kernel = getattr(self, f"weight_{number}")
            y0, x0 = 1 - up, 1 - left
            part = padded[..., y0 : y0 + height + kernel.shape[-2] - 1, x0 : x0 + width + kernel.shape[-1] - 1]
            drawn = convolve(part, kernel, self.bias, padding=0 if flat else (1, 0, 0))
            if result is None:
                result = drawn.new_empty(*drawn.shape[:2], *depth, height, self.factor, width, self.factor)
            result[..., rows, :, columns] = drawn[..., :, None, :, None]
        assert result is not None
        return result.flatten(-4, -3).flatten(-2)
