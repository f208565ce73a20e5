"""What loading a judge's network has in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from ...errors import WeightsError
from ...expression.request import EMOTIONS
from ...registry import Resources
from ...weights.model import Model
from ...weights.reading import load_strict, state_dict
from ...weights.store import locate_file

N = TypeVar("N", bound=torch.nn.Module)


def device_of(resources: Resources) -> torch.device:
    """The device that was asked for, or the CPU."""
    return resources.device or torch.device("cpu")


def load_network(make: Callable[[], N], model: Model, resources: Resources) -> N:
    """Find a model's checkpoint, downloading it where a hub has it, and fill a network with it.

    Args:
        make: Makes the network.
        model: Model of one checkpoint file.
        resources: Device, folders and progress.

    Returns:
        The network on its device, ready to run.

    Raises:
        WeightsError: The file is missing, damaged, or of another network.
    """
    path = locate_file(model, folders=resources.folders, progress=resources.progress)
    with torch.device("meta"):  # random initial weights would cost a second, and move the caller's generator
        network = make()
    network.to_empty(device=device_of(resources))
    load_strict(network, state_dict(path), what=f"{model.name} ({path})")
    return network.eval()


def missing_package(title: str, packages: str) -> WeightsError:
    """The error for a judge whose Python packages are not installed.

    Args:
        title: Name of the judge.
        packages: What to install, as pip takes it.

    Returns:
        An error of one line that says what to run.
    """
    return WeightsError(f"{title} needs a package that is not installed; run: pip install {packages}")


def emotion_order(labels: tuple[str, ...]) -> list[int]:
    """Where each emotion of EMOTIONS stands among a network's labels."""
    return [labels.index(emotion) for emotion in EMOTIONS]


def as_batch(crops: np.ndarray, device: torch.device) -> torch.Tensor:
    """Pictures (N, H, W, 3) uint8 as a batch (N, 3, H, W) float32, still in 0..255."""
    return torch.from_numpy(crops).to(device).permute(0, 3, 1, 2).float()


def per_channel(values: tuple[float, float, float], device: torch.device) -> torch.Tensor:
    """Three numbers as a tensor (3, 1, 1) that broadcasts over pictures."""
    return torch.tensor(values, device=device)[:, None, None]
