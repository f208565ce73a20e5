"""Make the modes of mouth motion (thfem_core/talking_head/mouth/coefficients.py) from prepared clips.

    python -m training.build_mouth_basis PREPARED thfem_core/weights/mouth_basis.safetensors [--modes 16]

PREPARED is what training.build_dataset made. Uses the split train only, every person with equal weight at most
FRAMES frames, and each face's mirror image too, so that no mode prefers a side. Deterministic.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from thfem_core.face.mesh.canonical import canonical_mesh, canonical_shapes
from thfem_core.face.mesh.topology import LIPS
from thfem_core.talking_head.mouth.coefficients import lower_face_fade

from .data.prepare import read_clip

# Weight of a lip point's error against that of any other point of the lower face.
LIP_WEIGHT = 3.0
FRAMES = 400
RIDGE = 1e-3


def mirror_pairs(canonical: np.ndarray) -> np.ndarray:
    """(478,) index of each point's mirror image on the canonical face."""
    flipped = canonical * np.array([-1, 1, 1])
    return np.linalg.norm(flipped[:, None] - canonical[None], axis=2).argmin(axis=1)


def make_basis(people: list[list[np.ndarray]], modes: int) -> dict[str, np.ndarray]:
    """Arrays of the basis from canonical shapes: per person a list of clips (T, 478, 3)."""
    canonical = canonical_mesh().astype(np.float64)
    mirror = mirror_pairs(canonical)
    fade = lower_face_fade().astype(np.float64)
    weight = fade.copy()
    weight[list(LIPS)] *= LIP_WEIGHT
    root = np.sqrt(np.repeat(weight, 3))

    rows, means = [], []
    for clips in people:
        moves = np.concatenate([clip - clip.mean(axis=0) for clip in clips])
        keep = np.unique(np.linspace(0, len(moves) - 1, min(FRAMES, len(moves))).astype(int))
        moves = moves[keep] / np.sqrt(len(keep))
        rows += [moves, (moves * (-1, 1, 1))[:, mirror]]
        mean = np.mean([clip.mean(axis=0) for clip in clips], axis=0)
        means += [mean, (mean * (-1, 1, 1))[mirror]]
    data = np.concatenate(rows).reshape(-1, 478 * 3) * root
    _, _, components = np.linalg.svd(data.T @ data / (2 * len(people)), hermitian=True)
    components = components[:modes]  # orthonormal in the weighted space
    norm = np.sqrt(weight.sum())
    # In the weighted space a field is root · displacement; towards the nose it is made to fade.
    fields = (components / np.maximum(root, 1e-6) * norm).reshape(modes, 478, 3) * fade[:, None]
    reader = (components * root / norm).T
    spread = np.sqrt(np.square(data / np.maximum(root, 1e-6) @ reader).sum(axis=0) / (2 * len(people)))
    arrays = {"mean": np.mean(means, axis=0), "modes": fields, "reader": reader, "spread": spread}
    # safetensors writes what lies in memory: a transposed view would come back scrambled.
    return {name: np.ascontiguousarray(value, np.float32) for name, value in arrays.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--modes", type=int, default=16)
    arguments = parser.parse_args()
    people = defaultdict(list)
    for path in sorted(arguments.prepared.glob("*.npz")):
        clip = read_clip(path)
        if clip.split == "train":
            people[clip.identity].append(canonical_shapes(clip.landmarks))
    arrays = make_basis(list(people.values()), arguments.modes)
    save_file(arrays, arguments.output, metadata={"people": str(len(people)), "licence": "CC BY-NC 4.0"})
    lips = list(LIPS)
    for name, clips in list(people.items())[:5]:
        offset = np.concatenate(clips) - arrays["mean"]
        fit = np.tensordot(offset.reshape(len(offset), -1) @ arrays["reader"], arrays["modes"], axes=1)
        moved = offset - offset.mean(axis=0)
        rest = moved - (fit - fit.mean(axis=0))
        print(f"{name}: lips move {np.abs(moved[:, lips]).mean():.2f}, not caught {np.abs(rest[:, lips]).mean():.2f}")


if __name__ == "__main__":
    main()
