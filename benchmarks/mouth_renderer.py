"""How well the mouth is drawn on people the network has not seen, by the distance of the source frame (as in Table 6).

    python -m benchmarks.mouth_renderer PREPARED --vgg vgg16.safetensors [--weights FILE ...] [--strip strip.png]

PREPARED is what training.build_dataset made, or, with --pairs, training.build_pairs (sources are then edited frames);
vgg16.safetensors what training.convert_lpips made. Split test, windows of
the paper (source i, targets i + k), every person as often. The picture is the mouth region of 128 x 128 px; "mouth" is
the 64 x 64 px around the lips (about 60 % of the outer-eye distance wide), "lower face" what is pasted. LPIPS by the
lpips package, VGG16. "registered": what the network drew, moved onto the truth by optical flow: how much of the error
is where the mesh lies, which no painting can mend.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import lpips
import numpy as np
import torch
from safetensors.torch import load_file

from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.pose import head_pose
from thfem_core.talking_head.mouth.coefficients import MouthBasis, load_mouth_basis
from thfem_core.talking_head.mouth.networks import load_motion, load_renderer
from thfem_core.talking_head.mouth.region import WIDE_PIXELS
from thfem_core.talking_head.mouth.renderer import MouthRenderer, warp_only
from training.config import DataConfig, LoopConfig
from training.data.clips import COLUMNS_PER_FRAME, SpeakingClip, interpolate, load_clips
from training.data.prepare import PreparedClip
from training.stages.base import Batch
from training.stages.renderer import MOUTH, RendererStageConfig, cut, window_tensors


def lpips_vgg(path: Path) -> torch.nn.Module:
    """LPIPS with the VGG16 of ``path``; the package would download it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        measure = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False).eval()
    state = load_file(path)
    for name, parameter in measure.net.named_parameters():
        parameter.data.copy_(state["features." + name.split(".", 1)[1]])
    return measure


def heard_shapes(clip: SpeakingClip, basis: MouthBasis, source: int, targets: np.ndarray) -> np.ndarray:
    """(n, 478, 3) canonical meshes of the targets, the mouths as the motion network hears them from ``source``."""
    net = load_motion()
    reach = (net.config.steps - 1) // 2
    moments = np.concatenate([[source], targets])
    windows = np.stack(
        [interpolate(clip.columns, COLUMNS_PER_FRAME * float(t) + np.arange(-reach, reach + 1.0)) for t in moments]
    )
    style = torch.from_numpy(clip.style)[None].expand(len(moments), -1)
    with torch.no_grad():
        heard = net.encode_speech(torch.from_numpy(windows), style)[:, 0]
        pull = torch.from_numpy((clip.mean - clip.coefficients[source]).astype(np.float32))
        change = net.change(heard[:1], heard[1:], torch.from_numpy(targets - source), pull)
    wanted = clip.coefficients[source] + change.numpy()
    return clip.shapes[targets] + basis.displacement((wanted - clip.coefficients[targets]) * basis.spread)


def with_meshes(clip: SpeakingClip, frames: np.ndarray, shapes: np.ndarray) -> SpeakingClip:
    """The clip with other canonical meshes in ``frames``, at their own head poses."""
    landmarks = clip.clip.landmarks.copy()
    landmarks[frames] = clip.pose.rows(frames).to_image(shapes)
    return replace(clip, clip=replace(clip.clip, landmarks=landmarks))


def registered(drawn: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """``drawn`` (1, 3, S, S; 0..1) warped by the smoothed optical flow (DIS) from ``true``."""
    pictures = [(x[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8) for x in (true, drawn)]
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    start, end = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures)
    flow = finder.calc(start, end, np.zeros((*start.shape, 2), np.float32))
    flow = cv2.GaussianBlur(flow, (0, 0), 2.0)
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    moved = cv2.remap(pictures[1], x + flow[..., 0], y + flow[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return torch.from_numpy(moved).permute(2, 0, 1)[None].float() / 255


def psnr(a: torch.Tensor, b: torch.Tensor, weight: torch.Tensor | None = None) -> float:
    square = (a - b).square()
    error = square.mean() if weight is None else (square * weight).sum() / (3 * weight.sum())
    return float(-10 * torch.log10(error + 1e-8))


def frontal_clips(data: DataConfig, split: str, basis: MouthBasis, *, yaw: float) -> list[SpeakingClip]:
    """Clips with pictures of people who are turned by at most ``yaw`` degrees."""

    def keep(clip: PreparedClip) -> bool:
        angles = head_pose(clip.landmarks[::5], canonical_mesh()).angles()
        return clip.regions is not None and float(np.median(np.abs(angles[:, 0]))) <= yaw

    return load_clips(data, split, basis, keep=keep)


def distances_of(text: str) -> range:
    """ "1-5" or "20" → frames between source and target."""
    low, _, high = text.partition("-")
    return range(int(low), int(high or low) + 1)


def drawn_windows(
    clips: Sequence[SpeakingClip], distances: range, count: int, rng: np.random.Generator
) -> Iterator[tuple[SpeakingClip, int, np.ndarray]]:
    """(clip, source, (target,)), every person as often."""
    people = sorted({clip.clip.identity for clip in clips})
    of_person = {person: [clip for clip in clips if clip.clip.identity == person] for person in people}
    while count:
        own = of_person[people[int(rng.integers(len(people)))]]
        clip = own[int(rng.integers(len(own)))]
        k = int(rng.choice(distances))
        if clip.frames <= k:
            continue
        source = int(rng.integers(clip.frames - k))
        yield clip, source, np.array([source + k])
        count -= 1


def window_batch(
    clip: SpeakingClip, source: int, targets: np.ndarray, config: RendererStageConfig, rng: np.random.Generator
) -> Batch:
    """One window as tensors."""
    window = window_tensors(clip, source, targets, config, rng)
    return {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in window.items()}


def drawn_by(net: MouthRenderer, batch: Batch) -> torch.Tensor:
    """(1, 3, S, S) in 0..1."""
    picture = batch["source"][None].float() / 255
    drawn: torch.Tensor = net(picture, batch["source_mask"][None], batch["flows"], batch["target_masks"])
    return drawn


def picture_scores(drawn: torch.Tensor, batch: Batch, measure: torch.nn.Module) -> tuple[float, float, float]:
    """PSNR of the lower face, PSNR and LPIPS of the mouth."""
    true = batch["true"].float() / 255
    own, mouth = cut(drawn[0], batch["corner"][0]), cut(true[0], batch["corner"][0])
    distance = float(measure(2 * own[None] - 1, 2 * mouth[None] - 1))
    return psnr(drawn, true, batch["alpha"]), psnr(own, mouth), distance


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--pairs", action="store_true", help="PREPARED is what training.build_pairs made")
    parser.add_argument("--vgg", type=Path, required=True)
    parser.add_argument("--weights", type=Path, nargs="*", default=[None])
    parser.add_argument("--split", default="test")
    parser.add_argument("--distances", nargs="+", default=["1-5"], help="such as 1-5 20 50")
    parser.add_argument("--windows", type=int, default=220)
    parser.add_argument("--yaw", type=float, default=25.0, help="degrees: leave out clips turned further to the side")
    parser.add_argument("--strip", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    basis = load_mouth_basis()
    folder = str(arguments.prepared)
    data = DataConfig(pairs=folder) if arguments.pairs else DataConfig(prepared=folder)
    clips = frontal_clips(data, arguments.split, basis, yaw=arguments.yaw)
    config = RendererStageConfig(data=data, loop=LoopConfig(), jitter=0.0)
    margin = (WIDE_PIXELS - config.network.size) // 2
    measure = lpips_vgg(arguments.vgg)
    nets = {str(path or "embedded"): load_renderer(path) for path in arguments.weights}
    strips: list[torch.Tensor] = []
    for text in arguments.distances:
        rows: dict[str, list[tuple[float, float, float]]] = {}
        rng = np.random.default_rng(0)
        windows = drawn_windows(clips, distances_of(text), arguments.windows, rng)
        for done, (clip, source, targets) in enumerate(windows):
            meshes = {"true": clip, "pose": with_meshes(clip, targets, clip.shapes[[source]])}
            if clip.mel is not None:
                meshes["heard"] = with_meshes(clip, targets, heard_shapes(clip, basis, source, targets))
            batches = {name: window_batch(mesh, source, targets, config, rng) for name, mesh in meshes.items()}
            batch = batches["true"]
            picture, true = batch["source"][None].float() / 255, batch["true"].float() / 255
            pictures = {"copy the source frame": picture[..., margin:-margin, margin:-margin]}
            pictures["pose-only warp"] = warp_only(picture, batches["pose"]["flows"])
            pictures["mesh warp, true mesh"] = warp_only(picture, batch["flows"])
            for name, net in nets.items():
                drawn = drawn_by(net, batch)
                pictures[f"network {name}, true mesh"] = drawn
                pictures[f"network {name}, registered"] = registered(drawn, true)
                if "heard" in batches:
                    pictures[f"network {name}, mesh from sound"] = drawn_by(net, batches["heard"])
            for name, drawn in pictures.items():
                rows.setdefault(name, []).append(picture_scores(drawn, batch, measure))
            if len(strips) < 24 and done % 4 == 3:
                strips.append(torch.cat([true[0], *(p[0] for p in pictures.values())], dim=2))
        people = len({clip.clip.identity for clip in clips})
        print(f"\nDistance {text}, {arguments.windows} pictures of {people} people")
        print("| | PSNR lower face | PSNR mouth | LPIPS-vgg mouth | n |\n|---|---|---|---|---|")
        for name, values in rows.items():
            a, b, c = np.mean(values, axis=0)
            print(f"| {name} | {a:.2f} | {b:.2f} | {c:.4f} | {len(values)} |")
    if arguments.strip:
        width = max(strip.shape[2] for strip in strips)
        whole = torch.cat([torch.nn.functional.pad(s, (0, width - s.shape[2])) for s in strips], dim=1)
        cv2.imwrite(str(arguments.strip), (whole.permute(1, 2, 0).numpy()[..., ::-1] * 255).round().astype(np.uint8))
        print(f"{arguments.strip}: truth, then the rows of the table from left to right; {MOUTH} px mouths are scored")


if __name__ == "__main__":
    main()
