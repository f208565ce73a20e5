"""Reading several networks out of published checkpoints, or out of one file of our own converter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..errors import WeightsError
from ..progress import Progress
from ..weights.reading import load_strict, safe_load

State = dict[str, Tensor]
Network = TypeVar("Network", bound=nn.Module)


def split_networks(loaded: Mapping[str, Any], names: Sequence[str]) -> dict[str, State]:
    """The state dicts of the networks ``names`` that a file holds; optimizers, counters and whatever else are left out.

    loaded: a published checkpoint ({network: state dict, …}) or flat tensors ("network.key"). The ``module.`` of
    ``nn.DataParallel`` is taken off.
    """
    states: dict[str, State] = {}
    for name in names:
        inner = loaded.get(name)
        if isinstance(inner, Mapping):
            state = {str(key).removeprefix("module."): value for key, value in inner.items()}
            if all(isinstance(value, Tensor) for value in state.values()):
                states[name] = state
        elif inner is None and (flat := {k: v for k, v in loaded.items() if str(k).startswith(f"{name}.")}):
            states[name] = {key.removeprefix(f"{name}."): value for key, value in flat.items()}
    return states


def read_networks(
    files: Sequence[Path], names: Sequence[str], *, required: Sequence[str], system: str
) -> dict[str, State]:
    """The networks ``names`` out of ``files``; where several files hold one, the last counts.

    Raises WeightsError where a file cannot be read, or a required network is in none of them.
    """
    states: dict[str, State] = {}
    for file in files:
        states |= split_networks(safe_load(file), names)
    missing = [name for name in required if name not in states]
    if missing:
        held = ", ".join(file.name for file in files)
        raise WeightsError(
            f"{system}: {held} holds no {', '.join(missing)}; give the published checkpoint that has it too "
            f"(python -m thfem_core models list)"
        )
    return states


def build(make: Callable[[], Network], state: State, *, what: str) -> Network:
    """The network, filled strictly with ``state`` as float32 without a copy, for inference.

    Raises WeightsError where keys or shapes differ.
    """
    with torch.device("meta"):  # no memory for random initial weights, and no change of the random state
        network = make()
    floats = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    load_strict(network, floats, what=what, assign=True)
    return network.eval().requires_grad_(False)


def flatten_networks(
    states: Mapping[str, State], makers: Mapping[str, Callable[[], nn.Module]], *, system: str, progress: Progress
) -> tuple[State, dict[str, int]]:
    """All networks in one flat dict ("network.key"), each checked against its architecture, and their numbers of
    parameters. Raises WeightsError where one is of another architecture."""
    tensors: State = {}
    parameters: dict[str, int] = {}
    for done, (name, state) in enumerate(states.items(), start=1):
        network = build(makers[name], state, what=f"{system}'s {name}")
        parameters[name] = sum(parameter.numel() for parameter in network.parameters())
        tensors |= {f"{name}.{key}": tensor for key, tensor in network.state_dict().items()}
        progress("Converting", done, len(states))
    return tensors, parameters
