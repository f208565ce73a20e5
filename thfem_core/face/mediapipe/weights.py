"""The weights that ship with the package: reading them, and saying what to do where they cannot be read."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from ...errors import WeightsError

WEIGHTS_FILE = Path(__file__).resolve().parents[2] / "weights" / "mediapipe_face.safetensors"


def load_networks(networks: dict[str, nn.Module], path: Path = WEIGHTS_FILE) -> None:
    """Fill each network, strictly, with the tensors under its name ("mesh.stem.0.weight" → "mesh"), as float32.

    Parameters are replaced, not copied into, so networks may be built on the "meta" device, without memory.
    Networks of the file that are not asked for are left alone. Raises WeightsError for a file that is missing,
    damaged or made for other networks.
    """
    states: dict[str, dict[str, torch.Tensor]] = {name: {} for name in networks}
    try:
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118 - not a mapping
                name, _, parameter = key.partition(".")
                if name in states:
                    tensor = file.get_tensor(key)
                    states[name][parameter] = tensor.float() if tensor.is_floating_point() else tensor
        for name, network in networks.items():
            network.load_state_dict(states[name], assign=True)
    except (OSError, SafetensorError, RuntimeError) as error:
        state = "is damaged or of another version" if path.is_file() else "is missing"
        raise WeightsError(
            f"{path.name} {state} in {path.parent}: get it again with the package (it is part of the repository), or "
            f"make it with 'python -m training.convert_mediapipe' from the PyPI wheel mediapipe==0.10.21 (Apache-2.0)"
        ) from error
