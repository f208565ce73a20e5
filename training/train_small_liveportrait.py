"""Train a small network of LivePortrait's shape to draw faces, to measure with where its files are not at hand.

    python -m training.train_small_liveportrait DATA OUT --minutes 30

DATA is the folder that :mod:`training.build_dataset` reads. The classes are LivePortrait's own with few channels: 32 px
are seen, 64 px drawn. Each step takes two frames of a clip and draws the second from the first with the keypoints of
the second. The keypoints are guided to points of our face mesh, as LivePortrait's are to landmarks. OUT receives files
in the published layout, which load as LivePortrait (THFEM_MODELS=OUT). Run it again to go on where it stopped.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from functools import partial
from math import cos, pi
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thfem_core.face.crop import FaceCrop, crop_frame
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.models import default_face_models
from thfem_core.face.pose import head_pose
from thfem_core.networks.liveportrait.crop import mesh_square
from thfem_core.networks.liveportrait.keypoints import FaceMotion, face_motion
from thfem_core.networks.liveportrait.model import LIVEPORTRAIT
from thfem_core.networks.liveportrait.networks import STITCHING_LAYOUTS, Sizes, make_network

from .clip_faces import faces_of_clip
from .data.prepare import read_index

SIZES = Sizes(
    width=12,
    channels=24,
    depth=2,
    blocks=1,
    base=8,
    levels=2,
    features=48,
    decoder=64,
    hidden=12,
    motion_widths=(24, 48, 96, 128),
    motion_depths=(1, 1, 2, 1),
)
# Points of the mesh to which the 21 keypoints are guided; lips, eyes and brows at LivePortrait's numbers of them.
MESH_POINTS = (10, 105, 334, 205, 425, 1, 61, 136, 152, 365, 168, 159, 0, 145, 291, 386, 374, 17, 4, 14, 13)
LARGE = ("appearance", "motion", "warping", "decoder")
SMALL = ("stitching", "lip", "eye")
CLIPS, FRAMES = 6, 10  # of a person, and of a clip
SAVED_EVERY = 20.0  # seconds of the processor


class Faces(NamedTuple):
    """N pictures (N, 64, 64, 3) uint8, keypoints (N, 21, 3) in −1..1, rotations (N, 3, 3) and clips (N,)."""

    pictures: np.ndarray
    points: np.ndarray
    rotations: np.ndarray
    clips: np.ndarray


def collect(data: Path, cache: Path) -> Faces:
    """Faces of the training split, all frames of a clip cropped alike; kept in ``cache``."""
    if not cache.exists():
        models, people = default_face_models(torch.device("cpu")), Counter[str]()
        found: list[tuple[np.ndarray, ...]] = []
        for number, row in enumerate(read_index(data, ["train"])):
            people[row["identity"]] += 1
            if people[row["identity"]] > CLIPS:
                continue
            faces = list(faces_of_clip(data / "crops" / row["file"], models, FRAMES))
            if len(faces) < 2:
                continue
            landmarks = np.stack([points for _, points in faces])
            cx, cy, side, turn = mesh_square(landmarks).mean(axis=0)
            crop, size = FaceCrop(cx=cx, cy=cy, side=side, rotation=turn), 2 * SIZES.side
            pose = head_pose(landmarks, canonical_mesh())
            spin = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
            chosen = landmarks[:, MESH_POINTS].astype(np.float64)
            depth = (chosen[..., 2] - chosen[..., 2].mean()) * 2 / side
            points = np.concatenate([crop.to_crop(chosen[..., :2], 2) - 1, depth[..., None]], axis=-1)
            pictures = np.stack([crop_frame(frame, crop, size) for frame, _ in faces])
            rotations = np.swapaxes(spin @ pose.rotation, 1, 2)
            found.append(
                (pictures, points.astype(np.float32), rotations.astype(np.float32), np.full(len(faces), number))
            )
        np.savez(cache, **Faces(*map(np.concatenate, zip(*found, strict=True)))._asdict())
    with np.load(cache) as file:
        return Faces(**file)


def convolve_flat(layer: nn.Conv3d, x: Tensor) -> Tensor:
    """``layer(x)`` as a two-dimensional convolution: taps beyond the volume cost nothing.

    The volume is at most as deep as the kernel reaches from its middle to one side, the middle counted.
    """
    depth, half = x.shape[2], layer.kernel_size[0] // 2
    rows = [
        torch.cat([layer.weight[:, :, half + read - written] for read in range(depth)], dim=1)
        for written in range(depth)
    ]
    bias = None if layer.bias is None else layer.bias.repeat(depth)
    flat = F.conv2d(x.transpose(1, 2).flatten(1, 2), torch.cat(rows), bias, padding=half)
    return flat.unflatten(1, (depth, -1)).transpose(1, 2)


class Portrait(nn.ModuleDict):
    """The networks in training."""

    def __init__(self) -> None:
        super().__init__({name: make_network(name, SIZES) for name in (*LARGE, *SMALL)})
        for layer in self.modules():
            if isinstance(layer, nn.Conv3d) and layer.kernel_size[0] > 1:
                layer.forward = partial(convolve_flat, layer)  # type: ignore[method-assign]
        nn.init.ones_(self.part("motion").detector.fc_scale.bias)
        for name in SMALL:  # not trained: they leave keypoints where they are
            nn.init.zeros_(self.part(name).mlp[-1].weight)
            nn.init.zeros_(self.part(name).mlp[-1].bias)

    def part(self, name: str) -> Any:
        """One of the networks."""
        return self[name]

    def forward(self, source: Tensor, driving: Tensor) -> tuple[Tensor, FaceMotion]:
        """Pictures (N, 3, 32, 32) twice → those of ``driving`` drawn from ``source``, and the motion of both."""
        motion = face_motion(self.part("motion")(torch.cat([source, driving])))
        before, after = motion.keypoints().chunk(2)
        warping = self.part("warping")
        appearance = warping.appearance(self.part("appearance").encode_volume(source))
        return self.part("decoder")(warping(appearance, before, after)), motion


def picture_loss(drawn: Tensor, truth: Tensor) -> Tensor:
    """L1 of pictures and of their gradients, at three sizes."""
    loss = drawn.new_zeros(())
    for _ in range(3):
        loss = loss + F.l1_loss(drawn, truth)
        for axis in (2, 3):
            loss = loss + F.l1_loss(drawn.diff(dim=axis), truth.diff(dim=axis))
        drawn, truth = F.avg_pool2d(drawn, 2), F.avg_pool2d(truth, 2)
    return loss


def motion_loss(motion: FaceMotion, points: Tensor, rotations: Tensor) -> Tensor:
    """Keypoints on the mesh, heads turned as it is, one canonical face per person, small expressions."""
    first, second = motion.canonical.chunk(2)
    return (
        10 * F.l1_loss(motion.keypoints(), points)
        + 2 * F.l1_loss(motion.rotation, rotations)
        + F.l1_loss(first, second)
        + 0.1 * motion.expression.abs().mean()
    )


def batch_of(faces: Faces, count: int, random: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (2 N, 3, 64, 64), points and rotations of N pairs: sources, then the frames to draw."""
    pairs = []
    for _ in range(count):
        clip = np.flatnonzero(faces.clips == random.choice(faces.clips))
        pairs.append(random.choice(clip, 2, replace=False))
    rows = np.array(pairs).T.ravel()
    pictures = torch.from_numpy(faces.pictures[rows]).permute(0, 3, 1, 2).float() / 255
    return pictures, torch.from_numpy(faces.points[rows]), torch.from_numpy(faces.rotations[rows])


def write_published(portrait: Portrait, folder: Path) -> None:
    """The files of the hub, by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    prefixes = {name: prefix for prefix, name in STITCHING_LAYOUTS["retarget_shoulder_module."].items()}
    for file in LIVEPORTRAIT.files:
        if file.role in LARGE:
            state = portrait[file.role].state_dict()
        else:
            state = {prefixes[n] + key: value for n in SMALL for key, value in portrait[n].state_dict().items()}
        torch.save(state, folder / file.names[1])  # .pth: of the other form the published sizes are checked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0, help="of the processor, with earlier runs")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-3)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    faces = collect(args.data, args.out / "faces.npz")
    torch.manual_seed(0)
    portrait, checkpoint = Portrait().train(), args.out / "checkpoint.pt"
    optimiser = torch.optim.Adam(portrait.parameters(), lr=args.rate, betas=(0.5, 0.99))
    step, spent = 0, 0.0
    if checkpoint.exists():
        stored = torch.load(checkpoint, weights_only=True)
        portrait.load_state_dict(stored["networks"])
        optimiser.load_state_dict(stored["optimiser"])
        step, spent = stored["step"], stored["spent"]
    print(f"{len(faces.clips)} faces of {len(np.unique(faces.clips))} clips; {spent / 60:.0f} minutes done", flush=True)
    start = saved = time.process_time()
    losses: list[tuple[float, float]] = []
    while (done := (spent + time.process_time() - start) / (60 * args.minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = args.rate * (0.5 + 0.5 * cos(pi * done)) * min(1.0, (step + 1) / 100)
        pictures, points, rotations = batch_of(faces, args.batch, np.random.default_rng(step))
        seen = F.avg_pool2d(pictures, 2)
        source, driving = seen.chunk(2)
        drawn, motion = portrait(source, driving)
        looks, moves = picture_loss(drawn, pictures[args.batch :]), motion_loss(motion, points, rotations)
        optimiser.zero_grad()
        (10 * looks + moves).backward()
        nn.utils.clip_grad_norm_(portrait.parameters(), 10.0)
        optimiser.step()
        step += 1
        losses.append((looks.item(), moves.item()))
        if time.process_time() - saved > SAVED_EVERY:
            saved = time.process_time()
            stored = {"networks": portrait.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save(stored | {"step": step, "spent": spent + saved - start}, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
            write_published(portrait, args.out)
            looks_mean, moves_mean = np.mean(losses, axis=0)
            print(f"step {step}, {done:.0%}: picture {looks_mean:.4f}, motion {moves_mean:.4f}", flush=True)
            losses = []
    write_published(portrait, args.out)


if __name__ == "__main__":
    main()
