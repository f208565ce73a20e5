"""3 × 3 and 3 × 3 × 3 convolutions with a quarter of the multiplications: Winograd's minimal filtering F(4 × 4, 3 × 3).

Lavin & Gray, "Fast algorithms for convolutional neural networks", CVPR 2016. Exact in exact arithmetic; in float32 it
rounds about ten times as coarsely as the plain sum. For CPUs: CUDA's own libraries choose such algorithms themselves.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_TILE, _STEP = 6, 4
_INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
_KERNEL = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
_OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
_TILES_AT_ONCE = 256  # what is transformed, multiplied and transformed back while it lies in the cache


def _squared(matrix: tuple[tuple[float, ...], ...]) -> Tensor:
    """The transform of both axes of a tile at once: the Kronecker square."""
    line = torch.tensor(matrix, dtype=torch.float64)
    return torch.kron(line, line)


class WinogradConv(nn.Module):
    """The same map as a 2-D or 3-D convolution with kernel 3, stride 1 and padding 1, for inference in float32.

    (B, in, [D,] H, W) → (B, out, [D,] H, W), channels last in memory. Weights take four times the memory.
    """

    weight: Tensor
    bias: Tensor | None
    _input: Tensor
    _output: Tensor

    def __init__(self, convolution: nn.Conv2d | nn.Conv3d) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        shape = set(weight.shape[2:]), set(convolution.padding), set(convolution.stride), set(convolution.dilation)
        if shape != ({3}, {1}, {1}, {1}) or convolution.groups != 1:
            raise ValueError(f"{convolution} is not a plain 3 × 3 convolution with padding 1; leave it as it is")
        self._dimensions = weight.dim() - 2
        # Depth, where there is one, is summed over in the plain way: (out, in, D, 3, 3) → (D, 36, in, out).
        planes = weight.float().view(*weight.shape[:2], -1, 9) @ _squared(_KERNEL).to(weight.device).float().T
        self.register_buffer("weight", planes.permute(2, 3, 1, 0).contiguous())
        bias = convolution.bias
        self.register_buffer("bias", None if bias is None else bias.detach().float().clone())
        self.register_buffer("_input", _squared(_INPUT).float().to(weight.device))
        self.register_buffer("_output", _squared(_OUTPUT).float().to(weight.device))

    def forward(self, x: Tensor) -> Tensor:
        flat = self._dimensions == 2
        # (B, in, D, H, W) → (D, B, H, W, in): slices along depth are then contiguous.
        planes = (x[:, :, None] if flat else x).permute(2, 0, 3, 4, 1)
        taps, _, in_channels, out_channels = self.weight.shape
        depth, batch, height, width, _ = planes.shape
        rows, columns = -(-height // _STEP), -(-width // _STEP)
        reach = taps // 2
        below, right = _STEP * rows + 1 - height, _STEP * columns + 1 - width
        padded = F.pad(planes, (0, 0, 1, right, 1, below, 0, 0, reach, reach))
        result = x.new_empty(depth, batch, _STEP * rows, _STEP * columns, out_channels)
        strip = min(rows, max(1, _TILES_AT_ONCE // (depth * batch * columns)))
        for start in range(0, rows, strip):
            count = min(strip, rows - start)
            if start == 0 or count != strip:
                # Memory that every strip uses again: fresh pages would cost as much as the arithmetic.
                size = depth * batch * count * columns
                tiles = x.new_empty(_TILE, _TILE, depth + 2 * reach, batch, count, columns, in_channels)
                parts = torch.empty_like(tiles).view(_TILE**2, depth + 2 * reach, -1, in_channels)
                product = x.new_empty(_TILE**2, size, out_channels)
                drawn = x.new_empty(_STEP, _STEP, depth, batch, count, columns, out_channels)
            seen = padded[:, :, _STEP * start : _STEP * (start + count) + 2]
            tiles.copy_(seen.unfold(2, _TILE, _STEP).unfold(3, _TILE, _STEP).permute(5, 6, 0, 1, 2, 3, 4))
            torch.mm(self._input, tiles.view(_TILE**2, -1), out=parts.view(_TILE**2, -1))
            torch.bmm(parts[:, :depth].flatten(1, 2), self.weight[0], out=product)
            for tap in range(1, taps):
                torch.baddbmm(product, parts[:, tap : tap + depth].flatten(1, 2), self.weight[tap], out=product)
            torch.mm(self._output, product.view(_TILE**2, -1), out=drawn.view(_STEP**2, -1))
            place = result[:, :, _STEP * start : _STEP * (start + count)]
            place = place.unflatten(3, (columns, _STEP)).unflatten(2, (count, _STEP))
            place.copy_(drawn.permute(2, 3, 4, 0, 5, 1, 6))
        if self.bias is not None:
            result += self.bias
        result = result[:, :, :height, :width].permute(1, 4, 0, 2, 3)
        return result[:, :, 0] if flat else result
