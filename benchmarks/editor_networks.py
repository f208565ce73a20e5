"""Cost of the networks of NED and SSERD, and memory of NED's renderer along a clip. Weights are random.

    python -m benchmarks.editor_networks [--frames 30] [--device cpu|cuda]

Seconds per call, of the processor on a CPU (other programs disturb those less), the fastest of ``--repeats`` calls
after one that warms up. The renderer then draws ``--frames`` frames, each from the two it drew before: the peak of
resident memory after a few frames and at the end.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from thfem_core.device import resolve_device
from thfem_core.expression.ned.deca import Encoder
from thfem_core.expression.ned.manipulator import WINDOW, ExpressionTranslator
from thfem_core.expression.ned.renderer import CONDITION, FRAMES, FaceRenderer, RenderedClip
from thfem_core.expression.ned.segmentation import SegmentationUNet
from thfem_core.expression.sserd.networks import Sserd

from .judge import markdown_table
from .liveportrait_speed import seconds

FIRST = 4  # frames until the renderer has allocated what it needs


def parts() -> dict[str, tuple[Callable[[], Any], str, tuple[Tensor, ...]]]:
    """Name → how to build a network, its method that computes a frame, and that method's inputs."""
    return {
        "NED: DECA's encoder": (lambda: Encoder(236), "forward", (torch.rand(1, 3, 224, 224),)),
        "NED: face and hair": (SegmentationUNet, "forward", (torch.rand(1, 3, 256, 256),)),
        "NED: manipulator, a window": (ExpressionTranslator, "forward", (torch.rand(1, WINDOW, 51), torch.rand(1, 16))),
        "NED: renderer": (
            FaceRenderer,
            "forward",
            (torch.rand(1, FRAMES * CONDITION, 256, 256), torch.rand(1, 6, 256, 256)),
        ),
        "SSERD": (Sserd, "edited", (torch.rand(1, 3, 256, 256), torch.rand(1, 18, 512))),
    }


def peak_mib() -> float:
    """The highest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    device = resolve_device(args.device)
    torch.manual_seed(0)

    stream = RenderedClip(FaceRenderer().eval().to(device))
    peaks = []
    for frame in range(args.frames):
        stream.draw(torch.rand(CONDITION, 256, 256, device=device))
        if frame in (FIRST - 1, args.frames - 1):
            peaks.append(peak_mib())
    del stream

    rows = []
    for name, (build, method, inputs) in parts().items():
        network = build().eval().requires_grad_(False).to(device)
        given = tuple(tensor.to(device) for tensor in inputs)
        compute = getattr(network, method)
        with FlopCounterMode(display=False) as counter:
            compute(*given)
        spent = seconds(compute, given, device, args.repeats)
        parameters = sum(parameter.numel() for parameter in network.parameters()) / 1e6
        rows.append((name, f"{parameters:.2f}", f"{counter.get_total_flops() / 2e9:.2f}", f"{spent:.3f}"))
    print(markdown_table(["network", "parameters (M)", "GMAC", "seconds"], rows))
    print(
        f"\npeak memory with the renderer: {peaks[0]:.0f} MiB after {FIRST} frames, {peaks[-1]:.0f} after {args.frames}"
    )


if __name__ == "__main__":
    main()
