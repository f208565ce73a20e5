"""Tensors of EAMM's checkpoint that belong to a style-based decoder which was never used.

They are declared, so that checkpoints load strictly and parameters are counted as published, and dropped after that.
"""

from __future__ import annotations

import torch
from torch import nn

_STYLE = 256
_OUT = 35
_WIDTHS = (256, 128, 64, 32)  # from 8 × 8 to 64 × 64


def _tree(shapes: dict[str, tuple[int, ...]], *, buffers: bool) -> dict[str, torch.Tensor]:
    make = (lambda shape: torch.zeros(shape)) if buffers else (lambda shape: nn.Parameter(torch.zeros(shape)))
    return {key: make(shape) for key, shape in shapes.items()}


def _modulated(name: str, in_channels: int, out_channels: int, kernel: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{name}.conv.weight": (1, out_channels, in_channels, kernel, kernel),
        f"{name}.conv.modulation.weight": (in_channels, _STYLE),
        f"{name}.conv.modulation.bias": (in_channels,),
    }


def _styled(name: str, in_channels: int, out_channels: int) -> dict[str, tuple[int, ...]]:
    extra = {f"{name}.noise.weight": (1,), f"{name}.activate.bias": (1, out_channels, 1, 1)}
    return _modulated(name, in_channels, out_channels, 3) | extra


def _to_rgb(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    return _modulated(name, channels, _OUT, 1) | {f"{name}.bias": (1, _OUT, 1, 1)}


def style_branch() -> nn.Module:
    """A module without a forward pass that holds the branch's parameters and buffers, all zero."""
    parameters: dict[str, tuple[int, ...]] = {"input.input": (1, _STYLE, 4, 4)}
    for number in range(1, 9):
        parameters |= {f"style.{number}.weight": (_STYLE, _STYLE), f"style.{number}.bias": (_STYLE,)}
    parameters |= _styled("conv1", _STYLE, _STYLE) | _to_rgb("to_rgb1", _STYLE)
    buffers: dict[str, tuple[int, ...]] = {"noises.noise_0": (1, 1, 4, 4)}
    before = _STYLE
    for number, width in enumerate(_WIDTHS):
        parameters |= _styled(f"convs.{2 * number}", before, width) | _styled(f"convs.{2 * number + 1}", width, width)
        parameters |= _to_rgb(f"to_rgbs.{number}", width)
        side = 8 << number
        buffers |= {f"convs.{2 * number}.conv.blur.kernel": (4, 4), f"to_rgbs.{number}.upsample.kernel": (4, 4)}
        buffers |= {f"noises.noise_{2 * number + k}": (1, 1, side, side) for k in (1, 2)}
        before = width
    root = nn.Module()
    for key, tensor in (_tree(parameters, buffers=False) | _tree(buffers, buffers=True)).items():
        *path, name = key.split(".")
        module = root
        for part in path:
            if part not in module._modules:
                module.add_module(part, nn.Module())
            module = module.get_submodule(part)
        if isinstance(tensor, nn.Parameter):
            module.register_parameter(name, tensor)
        else:
            module.register_buffer(name, tensor)
    return root
