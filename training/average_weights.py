"""The weighted mean of networks of one shape, such as a shipped one and those that were trained on from it.

    python -m training.average_weights OUT SHARE=FILE SHARE=FILE ...

Shares are brought to a sum of one. A network that was trained on for one kind of picture forgets a little of the
others; the mean with where it began often keeps both (Wortsman et al., *Robust fine-tuning of zero-shot models*, CVPR
2022).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from thfem_core.errors import InputError, ThfemError


def average(states: Sequence[dict[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """Average networks.

    Args:
        states: Their tensors by name.
        shares: Their weights in the mean, positive.

    Returns:
        The mean, in the types of the first; whole numbers are the first's.

    Raises:
        InputError: The networks differ in their tensors, or a share is not positive.
    """
    if min(shares) <= 0:
        raise InputError(f"a share is {min(shares):g}; give numbers above 0")
    shapes = [{name: tensor.shape for name, tensor in state.items()} for state in states]
    if any(each != shapes[0] for each in shapes):
        raise InputError("the networks differ in their tensors; give files of one network")
    mean, total = dict(states[0]), sum(shares)
    for name, tensor in mean.items():
        if tensor.is_floating_point():
            parts = [share / total * state[name].float() for share, state in zip(shares, states, strict=True)]
            mean[name] = torch.stack(parts).sum(dim=0).to(tensor.dtype)
    return mean


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("parts", nargs="+", metavar="SHARE=FILE")
    arguments = parser.parse_args(argv)
    try:
        shares, files = zip(*(_part(text) for text in arguments.parts), strict=True)
        mean = average([load_file(file) for file in files], shares)
    except ThfemError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    with safe_open(files[0], "pt") as first:
        metadata = dict(first.metadata() or {})
    metadata["mean_of"] = json.dumps([f"{share:g} {file.name}" for share, file in zip(shares, files, strict=True)])
    save_file(mean, arguments.out, metadata=metadata)
    return 0


def _part(text: str) -> tuple[float, Path]:
    share, separator, name = text.partition("=")
    try:
        value = float(share)
    except ValueError:
        separator = ""
    if not separator:
        raise InputError(f"{text} is no SHARE=FILE; write for example 0.5={Path(name or text).name}")
    if not Path(name).is_file():
        raise InputError(f"there is no file {name}")
    return value, Path(name)


if __name__ == "__main__":
    sys.exit(main())
