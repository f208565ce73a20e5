"""Loading the embedded occlusion network."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ...loaded import stays_loaded
from ...weights.reading import embedded_tensors, load_strict
from .network import OcclusionNet

_FILE = "occlusion.safetensors"
_MAKER = "training/train_thg.py --stage occlusion"


@stays_loaded
def load_occlusion_net(device: torch.device) -> OcclusionNet:
    """Load the network that ships with the package.

    Args:
        device: Where it runs.

    Returns:
        The network in eval mode, its normalisation folded into the convolutions.

    Raises:
        WeightsError: The file is missing, damaged, or of another architecture.
    """
    tensors, _ = embedded_tensors(_FILE, maker=_MAKER)
    net = OcclusionNet()
    load_strict(net, tensors, what=_FILE)
    net.eval().requires_grad_(False)
    _fold_normalisation(net)
    for parameter in net.parameters():
        if parameter.dim() == 4:  # convolutions are faster so
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return net.to(device)


def _fold_normalisation(module: nn.Module) -> None:
    """Replace convolution and normalisation in every block of three by one convolution, for speed."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential):
            convolution, normalisation, activation = child
            assert isinstance(convolution, nn.Conv2d) and isinstance(normalisation, nn.BatchNorm2d)
            setattr(module, name, nn.Sequential(fuse_conv_bn_eval(convolution, normalisation), activation))
        else:
            _fold_normalisation(child)
