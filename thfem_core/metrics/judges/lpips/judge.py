"""LPIPS (Zhang et al., CVPR 2018) with its VGG16 backbone, by the ``lpips`` package."""

from __future__ import annotations

import warnings

import numpy as np
import torch

from ....errors import WeightsError
from ....options import Options
from ....registry import Resources
from ....weights.reading import state_dict
from ....weights.store import locate_file
from ...pixel_fidelity import check_same_size
from ..loading import as_batch, device_of, missing_package
from .back_end import BACK_END, VGG16


class PerceptualDistance:
    """Distance of two pictures as people see it: 0 (equal) to about 1."""

    spec = BACK_END

    def __init__(self, network: torch.nn.Module, device: torch.device) -> None:
        self._network, self._device = network.to(device).eval(), device

    @torch.inference_mode()
    def distance(self, truth: np.ndarray, picture: np.ndarray) -> float:
        check_same_size(truth, picture)
        a, b = (as_batch(np.stack([truth, picture]), self._device) / 127.5 - 1.0).split(1)
        return float(self._network(a, b))


def load_lpips(options: Options, resources: Resources) -> PerceptualDistance:
    """Load the linear heads, which come with the package, and torchvision's VGG16 file as the backbone.

    Raises:
        WeightsError: The file cannot be had or is another one, or torchvision is not installed.
    """
    path = locate_file(VGG16, folders=resources.folders, progress=resources.progress)
    try:
        import lpips
    except ImportError:
        raise missing_package(BACK_END.title, "torchvision") from None
    with warnings.catch_warnings():  # of torchvision's own renamed arguments
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False)
    backbone = {key: value for key, value in state_dict(path).items() if key.startswith("features.")}
    own = network.net.state_dict()  # sliceN.M.weight, where M is the layer's number in torchvision's network
    filled = {key: backbone.get("features." + key.split(".", 1)[1]) for key in own}
    if any(value is None or value.shape != own[key].shape for key, value in filled.items()):
        raise WeightsError(f"{path} is not torchvision's VGG16; get {VGG16.name} again")
    network.net.load_state_dict(filled)
    return PerceptualDistance(network, device_of(resources))
