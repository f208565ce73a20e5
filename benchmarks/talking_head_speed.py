"""What drawing with EAT and EAMM costs: multiply–accumulates and time of every part, plain and as it runs here.

    python -m benchmarks.talking_head_speed [--system eat|eamm] [--device cpu|cuda] [--windows 1 4 16] [--compiled]

Weights are random: the arithmetic is the same. "plain" is the published way: no folding, the source encoded for every
frame, the pose and speech convolutions eleven times per frame, one frame at a time. On a CPU, CPU seconds of one
thread; on a graphics card, time between events, and frames per second for batches of windows of five frames, with the
share of the card's peak (give it with --peak, in TFLOP/s) that its multiply–accumulates are.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from thfem_core.networks.acceleration import channels_last
from thfem_core.networks.compilation import compile_in_place
from thfem_core.networks.folding import drop_unused, fold
from thfem_core.talking_head.eamm import networks as eamm
from thfem_core.talking_head.eamm.keypoint_detectors import AffineKeypoints
from thfem_core.talking_head.eat import networks as eat
from thfem_core.talking_head.eat.audio_to_keypoints import STEPS
from thfem_core.talking_head.eat.emotion_prompt import EmotionPrompts
from thfem_core.talking_head.eat.head_pose import HeadPoseEstimate

WINDOW = 5
Parts = dict[str, tuple[Callable[[], object], float]]  # what to run, and how often per drawn frame


def random_networks(makers: dict[str, Callable[[], nn.Module]], device: torch.device) -> dict[str, Any]:
    torch.manual_seed(0)
    return {name: make().to(device).eval().requires_grad_(False) for name, make in makers.items()}


def eat_parts(networks: dict[str, Any], device: torch.device, *, plain: bool) -> Parts:
    """The parts of a window of five frames on a CPU, one frame at a time."""
    audio, generator = networks["audio2kptransformer"], networks["generator"]
    image = torch.rand(1, 3, 256, 256, device=device)
    prompts = EmotionPrompts(torch.randn(1, 128, device=device), torch.randn(1, 6, 128, device=device))
    with torch.inference_mode():
        keypoints = networks["kp_detector"](image)
        appearance = generator.encode(image, prompts.emotion)
        driving = keypoints.value + 0.02
        motion = generator.motion(appearance, keypoints.value, driving)
        condition = generator.warp(appearance, motion)
        face = audio.face_map(keypoints.logits, prompts.emotion)
    mel = torch.randn(WINDOW, 1, 80, STEPS, device=device)
    # A window of five adds five new steps; the published way reads 55.
    steps = WINDOW * (STEPS if plain else 1)
    pictures, speech = torch.zeros(steps, 1, 64, 64, device=device), torch.randn(steps, 16, 29, device=device)
    tokens = torch.randn(WINDOW, STEPS, 128, device=device)
    poses = HeadPoseEstimate(
        *(torch.randn(WINDOW, size, device=device) for size in (66, 66, 66, 3, 45)),
    )

    def coefficients() -> Tensor:
        faces = audio.face_tokens(audio.sound(mel, prompts.emotion), face)
        return audio.coefficients(tokens, faces, audio.head_token(poses), prompts.deep)

    once = 1 / WINDOW
    return {
        "head pose": (lambda: networks["he_estimator"](image), 1.0),
        "keypoints": (lambda: networks["kp_detector"](image), once),
        "face map, deformation": (
            lambda: networks["sidetuning"](audio.face_map(keypoints.logits, prompts.emotion), prompts),
            once,
        ),
        "pose and speech tokens": (lambda: audio.frame_tokens(pictures, speech), once),
        "audio transformer": (coefficients, once),
        "appearance": (lambda: generator.encode(image, prompts.emotion), 1.0 if plain else once),
        "dense motion": (lambda: generator.motion(appearance, keypoints.value, driving), 1.0),
        "warp": (lambda: generator.warp(appearance, motion), 1.0),
        "decoder": (lambda: generator.decoder(condition), 1.0),
    }


def eamm_parts(networks: dict[str, Any], device: torch.device, *, plain: bool) -> Parts:
    image = torch.rand(1, 3, 256, 256, device=device)
    audio, generator = networks["audio_feature"], networks["generator"]
    mfcc, poses = torch.randn(WINDOW, 28, 12, device=device), torch.randn(WINDOW, 6, device=device)
    with torch.inference_mode():
        source, appearance = networks["kp_detector"](image), generator.encode(image)
        features = audio(image, mfcc, poses)
        motion = generator.motion(appearance, source, source)
    once = 1 / WINDOW
    return {
        "keypoints": (lambda: networks["kp_detector"](image), once),
        "audio features": (lambda: audio(image, mfcc, poses), once),
        "audio keypoints": (lambda: networks["kp_detector_a"](features), once),
        "appearance": (lambda: generator.encode(image), 1.0 if plain else once),
        "dense motion": (lambda: generator.motion(appearance, source, source), 1.0),
        "decoder": (lambda: generator.draw(appearance, motion), 1.0),
    }


def macs(run: Callable[[], object]) -> float:
    """Of convolutions and matrix products, in 10⁹, as they are computed (a rewritten layer counts its own)."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        run()
    return counter.get_total_flops() / 2e9


@torch.inference_mode()
def cpu_seconds(run: Callable[[], object], repeats: int) -> float:
    """The least CPU time of some runs."""
    times = []
    for _ in range(repeats + 1):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times[1:])


def table(plain: dict[str, tuple[float, float]], fast: dict[str, tuple[float, float]]) -> None:
    print("| per drawn frame | plain GMAC | plain s | here GMAC | here s | |\n|---|--:|--:|--:|--:|--:|")
    for name in plain:
        (a, s), (b, t) = plain[name], fast[name]
        print(f"| {name} | {a:.1f} | {s:.2f} | {b:.1f} | {t:.2f} | {s / t:.1f}× |")
    a, s, b, t = (sum(part[k] for part in parts.values()) for parts in (plain, fast) for k in (0, 1))
    print(f"| **sum** | {a:.1f} | {s:.2f} | {b:.1f} | {t:.2f} | {s / t:.2f}× |")


def measured(parts: Parts, repeats: int) -> dict[str, tuple[float, float]]:
    return {name: (share * macs(run), share * cpu_seconds(run, repeats)) for name, (run, share) in parts.items()}


def on_cpu(system: str, repeats: int) -> None:
    torch.set_num_threads(1)
    device = torch.device("cpu")
    if system == "eat":
        networks = random_networks(eat.CHECKPOINT_NETWORKS, device)
        plain = measured(eat_parts(networks, device, plain=True), repeats)
        for network in networks.values():
            fold(drop_unused(network))
        ready = eat.EatNetworks(networks, {})
        ready.accelerate()
        table(plain, measured(eat_parts(networks, device, plain=False), repeats))
        return
    networks = random_networks(eamm.CHECKPOINT_NETWORKS, device)
    plain = measured(eamm_parts(networks, device, plain=True), repeats)
    for network in networks.values():
        fold(drop_unused(network))
    eamm.EammNetworks(networks).accelerate()
    table(plain, measured(eamm_parts(networks, device, plain=False), repeats))


@torch.inference_mode()
def on_gpu(
    system: str, batches: list[int], peak: dict[torch.dtype, float], repeats: int, *, compiled: bool = False
) -> None:
    device = torch.device("cuda")
    makers = eat.CHECKPOINT_NETWORKS if system == "eat" else eamm.CHECKPOINT_NETWORKS
    for dtype in (torch.float32, torch.bfloat16):
        networks = random_networks(makers, device)
        for network in networks.values():
            fold(drop_unused(network))
        generator = channels_last(networks["generator"].to(dtype))
        if system == "eat":
            generator.decoder.merge()
        batch = eat_batch if system == "eat" else eamm_batch
        runs = {windows: batch(networks, windows, dtype, device) for windows in batches}
        gigas = {windows: macs(run) for windows, run in runs.items()}
        if compiled:  # not before: the operations of compiled code are not counted
            compile_in_place(generator, device)
        for windows, run in runs.items():
            giga = gigas[windows]
            run()
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            for _ in range(repeats):
                run()
            end.record()
            torch.cuda.synchronize()
            seconds = start.elapsed_time(end) / 1000 / repeats
            share = f"{2 * giga / seconds / 1000 / peak[dtype]:.0%} of peak" if dtype in peak else ""
            print(
                f"{system} {str(dtype)[6:]} {windows:2d} windows: {WINDOW * windows / seconds:7.1f} frames/s, "
                f"{2 * giga / seconds / 1000:6.1f} TFLOP/s {share}, "
                f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB"
            )


def eat_batch(networks: dict[str, Any], windows: int, dtype: torch.dtype, device: torch.device) -> Callable[[], object]:
    """``windows`` windows of five frames, each from a source of its own, in one pass."""
    audio, generator, count = networks["audio2kptransformer"], networks["generator"], windows * WINDOW
    images = torch.rand(windows, 3, 256, 256, device=device)
    prompts = EmotionPrompts(torch.randn(1, 128, device=device), torch.randn(1, 6, 128, device=device))
    mel = torch.randn(count, 1, 80, STEPS, device=device)
    pictures, speech = torch.zeros(count, 1, 64, 64, device=device), torch.randn(count, 16, 29, device=device)
    rows = torch.arange(windows, device=device).repeat_interleave(WINDOW)

    def run() -> Tensor:
        poses = networks["he_estimator"](images[rows])
        keypoints = networks["kp_detector"](images)
        face = audio.face_map(keypoints.logits, prompts.emotion)
        networks["sidetuning"](face, prompts)
        tokens = audio.frame_tokens(pictures, speech)[:, None].expand(-1, STEPS, -1)
        faces = audio.face_tokens(audio.sound(mel, prompts.emotion), face[rows])
        audio.coefficients(tokens, faces, audio.head_token(poses), prompts.deep)
        appearance = generator.encode(images.to(dtype), prompts.emotion.to(dtype))
        points = keypoints.value[rows]
        step = 16
        drawn = [
            generator(appearance.rows(rows[i : i + step]), points[i : i + step], points[i : i + step])
            for i in range(0, count, step)
        ]
        return torch.cat(drawn)

    return run


def eamm_batch(
    networks: dict[str, Any], windows: int, dtype: torch.dtype, device: torch.device
) -> Callable[[], object]:
    audio, generator = networks["audio_feature"], networks["generator"]
    images = torch.rand(windows, 3, 256, 256, device=device)
    mfcc, poses = torch.randn(WINDOW, 28, 12, device=device), torch.randn(WINDOW, 6, device=device)

    def run() -> list[Tensor]:
        drawn = []
        for image in images.split(1):
            source: AffineKeypoints = networks["kp_detector"](image)
            driving = networks["kp_detector_a"](audio(image, mfcc, poses))
            drawn.append(generator(generator.encode(image.to(dtype)), source, driving))
        return drawn

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", choices=("eat", "eamm"), default="eat")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--windows", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--peak", type=float, nargs=2, metavar=("FP32", "BF16"), help="TFLOP/s of the card")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--compiled", action="store_true", help="with --device cuda: the generator by torch.compile")
    choice = parser.parse_args()
    if choice.device == "cpu":
        on_cpu(choice.system, choice.repeats)
        return
    peak = dict(zip((torch.float32, torch.bfloat16), choice.peak or (), strict=False))
    on_gpu(choice.system, choice.windows, peak, choice.repeats, compiled=choice.compiled)


if __name__ == "__main__":
    main()
