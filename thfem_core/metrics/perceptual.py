"""LPIPS (Zhang et al., CVPR 2018) with its VGG16 backbone, by the ``lpips`` package."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..errors import WeightsError
from ..progress import Progress, silent
from ..weights.reading import state_dict
from ..weights.store import locate_file
from .picture import check_same_size

MODEL = "vgg16"


class PerceptualDistance:
    """Distance of two pictures as people see it: 0 (equal) to about 1."""

    def __init__(self, network: torch.nn.Module, device: torch.device) -> None:
        self._network, self._device = network.to(device).eval(), device

    @torch.inference_mode()
    def distance(self, truth: np.ndarray, picture: np.ndarray) -> float:
        """Of two (H, W, 3) uint8 RGB pictures of one size."""
        check_same_size(truth, picture)
        batch = torch.from_numpy(np.stack([truth, picture])).to(self._device).permute(0, 3, 1, 2).float()
        a, b = (batch / 127.5 - 1.0).split(1)
        return float(self._network(a, b))


def load_perceptual(
    *, device: torch.device, folders: Sequence[Path] = (), download: bool = True, progress: Progress = silent
) -> PerceptualDistance:
    """The linear heads come with the package; the backbone is torchvision's VGG16 file, found by the manifest.

    Raises WeightsError where file or torchvision is missing.
    """
    path = locate_file(MODEL, folders=folders, download=download, progress=progress)
    try:
        import lpips
    except ImportError:
        raise WeightsError("LPIPS needs torchvision, which is not installed; run: pip install torchvision") from None
    with warnings.catch_warnings():  # of torchvision's own renamed arguments
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False)
    backbone = {key: value for key, value in state_dict(path).items() if key.startswith("features.")}
    own = network.net.state_dict()  # sliceN.M.weight, where M is the layer's number in torchvision's network
    filled = {key: backbone.get("features." + key.split(".", 1)[1]) for key in own}
    if any(value is None or value.shape != own[key].shape for key, value in filled.items()):
        raise WeightsError(f"{path} is not torchvision's VGG16; get {MODEL} again")
    network.net.load_state_dict(filled)
    return PerceptualDistance(network, device)
