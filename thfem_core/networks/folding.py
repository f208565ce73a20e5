"""What can be worked into the weights once and for all after loading: spectral norms, batch norms behind
convolutions, and parts of a checkpoint that no forward pass reads."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils import remove_spectral_norm
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.spectral_norm import SpectralNorm

Network = TypeVar("Network", bound=nn.Module)


def drop_unused(network: Network) -> Network:
    """Delete the parts that modules list in ``unused`` (they are there so that checkpoints load strictly)."""
    for module in list(network.modules()):
        for name in getattr(module, "unused", ()):
            if hasattr(module, name):
                delattr(module, name)
    return network


@torch.no_grad()
def fold(network: Network) -> Network:
    """``network``, for inference: spectral norms and post-convolution batch norms become part of the weights.

    Works in place. The state dict then no longer has the published keys. Modules say which convolution a batch norm
    follows in ``folds``; inside an ``nn.Sequential`` neighbours do.
    """
    network.eval().requires_grad_(False)
    for module in list(network.modules()):
        if any(isinstance(hook, SpectralNorm) for hook in module._forward_pre_hooks.values()):
            remove_spectral_norm(module)
            module.requires_grad_(False)
    for module in list(network.modules()):
        names = list(module._modules)
        pairs = list(pairwise(names)) if isinstance(module, nn.Sequential) else []
        for conv_name, norm_name in [*getattr(module, "folds", ()), *pairs]:
            conv, norm = getattr(module, conv_name), getattr(module, norm_name)
            if isinstance(conv, _ConvNd) and isinstance(norm, _BatchNorm):
                setattr(module, conv_name, fuse_conv_bn_eval(conv, norm, isinstance(conv, _ConvTransposeNd)))
                setattr(module, norm_name, nn.Identity())
    return network
