"""Turning the word a user types into a torch device."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from .errors import InputError

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DEVICE_NAMES: tuple[DeviceName, ...] = get_args(DeviceName)


def resolve_device(name: str) -> torch.device:
    """``auto`` is CUDA where there is one, else the CPU; ``cuda:1`` picks a card.

    Raises InputError where the device is unknown or this machine lacks it.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"unknown device {name!r}; choose one of: {', '.join(DEVICE_NAMES)}") from None
    cards = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= cards:
        raise InputError(f"device {name!r} is not there ({cards} CUDA devices found); use --device cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise InputError("device 'mps' is not available on this machine; use --device cpu")
    return device
