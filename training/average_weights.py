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
from math import inf
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from thfem_core.errors import InputError, ThfemError
from thfem_core.media.atomic import check_output

from .stored import save_tensors


def average(states: Sequence[dict[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """Average networks.

    Args:
        states: Their tensors by name.
        shares: Their weights in the mean, positive and finite.

    Returns:
        The mean, in the types of the first; whole numbers are the first's.

    Raises:
        InputError: The networks differ in their tensors, or a share is not positive and finite.
    """
    for share in shares:
        if not 0 < share < inf:
            raise InputError(f"a share is {share:g}; give finite numbers above 0")
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
        check_output(arguments.out)
        states, notes = zip(*map(_read, files), strict=True)
        mean_of = json.dumps([f"{share:g} {file.name}" for share, file in zip(shares, files, strict=True)])
        save_tensors(arguments.out, average(states, shares), notes[0] | {"mean_of": mean_of})
    except ThfemError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file. Raises InputError."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            return tensors, dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is no whole safetensors file ({reason}); give files of finished stages") from None


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
