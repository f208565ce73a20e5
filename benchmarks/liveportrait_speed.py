"""Multiplications, time and memory of LivePortrait's parts: as published, and as they run here, in one run.

Weights are random: they change neither. On a graphics card: ``--device cuda --batch 1 4 16 --dtype fp32 bf16``, and
``--compiled``.

    python -m benchmarks.liveportrait_speed --repeats 2
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from thfem_core.device import resolve_device
from thfem_core.networks.appearance_volume import SourceAppearance
from thfem_core.networks.compilation import compile_in_place
from thfem_core.networks.folding import fold
from thfem_core.networks.liveportrait.networks import LivePortraitNetworks, Sizes, make_network

PARTS = ("appearance", "motion", "warping", "decoder", "stitching")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def random_networks(*, folded: bool) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    networks = {name: make_network(name, Sizes()).eval().requires_grad_(False) for name in PARTS}
    return {name: fold(network) for name, network in networks.items()} if folded else networks


def inputs(batch: int, device: torch.device, dtype: torch.dtype) -> dict[str, tuple[Tensor | SourceAppearance, ...]]:
    made = {
        "appearance": (torch.rand(batch, 3, 256, 256),),
        "warping": (torch.randn(batch, 32, 16, 64, 64), torch.randn(batch, 4, 16, 64, 64)),
        "decoder": (torch.randn(batch, 256, 64, 64),),
    }
    large = {name: tuple(tensor.to(device, dtype) for tensor in tensors) for name, tensors in made.items()}
    points = torch.rand(2, batch, 21, 3, device=device) - 0.5
    return {
        **large,
        "motion": (torch.rand(batch, 3, 256, 256, device=device),),
        "warping": (SourceAppearance(*large["warping"]), points[0], points[1]),
        "stitching": (torch.randn(batch, 126, device=device),),
    }


def calls(networks: dict[str, Any]) -> dict[str, Callable[..., object]]:
    encoder = networks["appearance"]
    return {**networks, "appearance": encoder.encode_volume}


def seconds(call: Callable[..., object], arguments: tuple[Any, ...], device: torch.device, repeats: int) -> float:
    """The fastest of ``repeats`` calls, after one that warms up. On a CPU in seconds of the processor, which other
    programs disturb less."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    times = []
    for _ in range(repeats + 1):
        start = clock()
        call(*arguments)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(clock() - start)
    return min(times[1:])


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, nargs="+", default=[1])
    parser.add_argument("--dtype", choices=DTYPES, nargs="+", default=["fp32"])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--compiled", action="store_true")
    args = parser.parse_args()
    device = resolve_device(args.device)

    plain = random_networks(folded=False)
    if device.type == "cpu":
        print("| part | parameters | GMAC | published, CPU s | here, CPU s |\n|---|---|---|---|---|")
        ours = random_networks(folded=True)
        LivePortraitNetworks(ours, Sizes()).prepare(device, torch.float32)
        given = inputs(1, device, torch.float32)
        before, after = calls(plain), calls(ours)
        totals = [0.0, 0.0, 0.0]
        for name in PARTS:
            with FlopCounterMode(display=False) as counter:
                before[name](*given[name])
            row = [
                counter.get_total_flops() / 2e9,
                seconds(before[name], given[name], device, args.repeats),
                seconds(after[name], given[name], device, args.repeats),
            ]
            totals = [a + b for a, b in zip(totals, row, strict=True)]
            count = sum(parameter.numel() for parameter in plain[name].parameters()) / 1e6
            print(f"| {name} | {count:.3f} M | {row[0]:.1f} | {row[1]:.4f} | {row[2]:.4f} |", flush=True)
        print(f"| all | | {totals[0]:.1f} | {totals[1]:.2f} | {totals[2]:.2f} |")
        print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
        return
    print("| dtype | batch | " + " | ".join(f"{name}, ms per frame" for name in PARTS) + " | frames/s | peak, GiB |")
    print("|---|---|" + "---|" * (len(PARTS) + 2))
    for word in args.dtype:
        for batch in args.batch:
            ours = random_networks(folded=True)
            LivePortraitNetworks(ours, Sizes()).prepare(device, DTYPES[word])
            if args.compiled:
                for name in ("warping", "decoder"):
                    compile_in_place(ours[name], device)
            torch.cuda.reset_peak_memory_stats(device)
            given, run = inputs(batch, device, DTYPES[word]), calls(ours)
            times = [1000 * seconds(run[name], given[name], device, args.repeats) / batch for name in PARTS]
            peak = torch.cuda.max_memory_allocated(device) / 2**30
            cells = " | ".join(f"{value:.2f}" for value in times)
            print(f"| {word} | {batch} | {cells} | {1000 / sum(times):.1f} | {peak:.2f} |", flush=True)


if __name__ == "__main__":
    main()
