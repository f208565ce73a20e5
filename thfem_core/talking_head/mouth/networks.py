"""The embedded networks of the mouth, as they lie in thfem_core/weights (or as a training run exported them)."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from ...errors import WeightsError
from ...loaded import stays_loaded
from ...weights.model import EMBEDDED_FOLDER
from ...weights.reading import embedded_tensors, load_strict
from .motion import MotionConfig, MotionNet
from .renderer import MouthRenderer, RendererConfig

N = TypeVar("N", bound=nn.Module)
_WIDEST = 1024  # sizes of a network; a damaged configuration may ask for any amount of memory


def load_motion(path: Path | None = None) -> MotionNet:
    """Load the motion network.

    Args:
        path: A file that training exported; None for the embedded one.

    Returns:
        The network in float32 on the CPU; shared, so not to be changed.

    Raises:
        WeightsError: The file is missing, damaged or of another architecture.
    """
    return _load(path or EMBEDDED_FOLDER / "mouth_motion.safetensors", "motion", MotionNet, MotionConfig)


def load_renderer(path: Path | None = None) -> MouthRenderer:
    """Load the renderer; as :func:`load_motion`."""
    return _load(path or EMBEDDED_FOLDER / "mouth_renderer.safetensors", "renderer", MouthRenderer, RendererConfig)


@stays_loaded
def _load(path: Path, stage: str, network: type[N], config: type[Any]) -> N:
    state, notes = embedded_tensors(path.name, maker=f"training/train_thg.py --stage {stage}", folder=path.parent)
    what = f"{path} (the mouth's {stage} network)"
    try:
        table = json.loads(notes.get("config", "{}")).get(stage, {}).get("network", {})
        known = {field.name for field in fields(config)}
        values = {name: tuple(v) if isinstance(v, list) else v for name, v in table.items() if name in known}
        if any(
            each > _WIDEST for value in values.values() for each in (value if isinstance(value, tuple) else (value,))
        ):
            raise ValueError(f"a size above {_WIDEST}")
        net = network(config(**values))
    except (ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise WeightsError(f"{what} is damaged (its configuration: {error}); install the pack again") from None
    try:
        load_strict(net, state, what=what)
    except WeightsError as error:
        difference = str(error).partition(";")[0]
        raise WeightsError(
            f"{difference}; install the pack again, or make it with training/train_thg.py --stage {stage}"
        ) from None
    return net.eval().requires_grad_(False)


def on_device(net: N, device: torch.device) -> N:
    """Bring a network to a device: itself on the CPU, else a copy, because loaded networks are shared."""
    if device.type == "cpu":
        return net
    copy: N = type(net)(net.config)  # type: ignore[call-arg, arg-type]
    copy.load_state_dict(net.state_dict())
    return copy.eval().requires_grad_(False).to(device)
