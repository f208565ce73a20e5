"""Turning the word a user types into a torch device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def one_cpu_thread() -> Iterator[None]:
    """Run small networks on one CPU thread, and restore PyTorch's setting.

    Beside threads that decode and encode, PyTorch's own threads wait for each other by spinning: with two of them on
    two busy cores, finding faces was seven times slower than with one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
