"""How well the occlusion network sees what is in front of a face, and what it costs.

    python -m benchmarks.occlusion FACES [--samples 400] [--people 80] [--calls 200] [--look PICTURE]

FACES is the folder that ``python -m training.build_face_pictures DATA FACES`` makes; measured on its test people, whom
training never saw. Covered: drawn occluders of textures and fonts that training never saw. Clean: the people as they
are (spectacles, beards and all; headset microphones count as mistakes where they are found).
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import torch

from thfem_core.face.crop import FaceCrop
from thfem_core.face.mesh.topology import FACE_OVAL
from thfem_core.face.occlusion.face_mask import covered_pixels, face_mask, without_islands
from thfem_core.face.occlusion.loading import load_occlusion_net
from thfem_core.face.occlusion.network import PIXELS, OcclusionNet
from thfem_core.media.array_frame import ArrayFrame
from training.occluders.compose import KINDS, FacePictures, Sample, draw_sample
from training.occluders.shapes import fill
from training.stages.occlusion import load_faces

from .face_networks import measured

LEAST = 0.02  # share of the face that must be covered for a sample to count


def said(picture: np.ndarray, net: OcclusionNet) -> np.ndarray:
    """(128, 128) bool: what an edit takes as covered in a picture, before it looks at other frames."""
    covered = without_islands(covered_pixels([picture], net)[0])
    return cv2.resize(covered, (PIXELS, PIXELS), interpolation=cv2.INTER_LINEAR) > 0.5


def measure_kind(net: OcclusionNet, faces: FacePictures, kind: str, samples: int) -> np.ndarray:
    """(samples used, 2): pixels of the face in the intersection and in the union of truth and answer."""
    rows = []
    for number in range(samples):
        rng = np.random.default_rng([KINDS.index(kind), number])
        sample: Sample = draw_sample(rng, faces, number * 7919 % len(faces.people), unseen=True, kind=kind)
        truth, answer = sample.covered & sample.face, said(sample.picture, net) & sample.face
        if truth.sum() > LEAST * sample.face.sum():
            rows.append(((truth & answer).sum(), (truth | answer).sum()))
    return np.array(rows)


def false_alarms(net: OcclusionNet, faces: FacePictures, people: int) -> dict[str, float]:
    """Person → share of the pixels of their faces that are called covered, over all of their pictures."""
    shares: dict[str, list[float]] = {}
    for stored, outline, person in zip(faces.pictures, faces.outlines, faces.people, strict=True):
        if str(person) not in shares and len(shares) == people:
            continue
        edge = (len(stored) - PIXELS) // 2
        picture = np.ascontiguousarray(stored[edge : edge + PIXELS, edge : edge + PIXELS])
        face = fill(outline[list(FACE_OVAL)].astype(np.float32) - edge, PIXELS) > 0.5
        shares.setdefault(str(person), []).append(float((said(picture, net) & face).sum() / face.sum()))
    return {person: float(np.mean(values)) for person, values in shares.items()}


def draw_look(net: OcclusionNet, faces: FacePictures, path: Path) -> None:
    """Write a picture of some samples of every kind: truth outlined in green, answer in magenta."""
    rows = []
    for kind in KINDS:
        row = []
        for number in range(10):
            rng = np.random.default_rng([KINDS.index(kind), number])
            sample = draw_sample(rng, faces, number * 7919 % len(faces.people), unseen=True, kind=kind)
            shown = sample.picture.copy()
            for mask, colour in ((sample.covered, (0, 255, 0)), (said(sample.picture, net), (255, 0, 255))):
                edge = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
                shown[edge] = colour
            row.append(shown)
        rows.append(np.hstack(row))
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--people", type=int, default=80)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--look", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    net = load_occlusion_net(torch.device("cpu"))
    faces = load_faces(arguments.faces, "test")

    print(f"{sum(weight.numel() for weight in net.parameters())} parameters\n")
    print("| in front of the face | samples | IoU, mean | median | all pixels |\n|---|---|---|---|---|")
    every = []
    for kind in KINDS:
        rows = measure_kind(net, faces, kind, arguments.samples // len(KINDS))
        every.append(rows)
        print(iou_row(kind, rows))
    print(iou_row("all", np.concatenate(every)))

    shares = np.array(list(false_alarms(net, faces, arguments.people).values()))
    print(
        f"\n{len(shares)} people with nothing drawn before them: {100 * shares.mean():.2f} % of the face's pixels are "
        f"called covered; {(shares > 0.01).sum()} people above 1 %, the worst {100 * shares.max():.1f} %\n"
    )
    picture = np.ascontiguousarray(faces.pictures[0][:PIXELS, :PIXELS])
    frame = ArrayFrame(index=0, time=Fraction(0), pixels=cv2.resize(faces.pictures[0], (720, 720)))
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:, :2] = faces.outlines[0].astype(np.float32) * 720 / faces.pictures.shape[1]
    landmarks[:, 2] = 0.3 * np.abs(landmarks[:, 0] - FaceCrop(cx=360, cy=360, side=1).cx)
    calls = {
        "network, one face of 128²": lambda: covered_pixels([picture], net),
        "with its crop from a frame of 720²": lambda: face_mask(frame, landmarks, net),
    }
    print("| ms on one thread | cpu | cpu min | wall |\n|---|---|---|---|")
    for name, call in calls.items():
        print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in measured(call, arguments.calls)) + " |")
    if arguments.look is not None:
        draw_look(net, faces, arguments.look)


def iou_row(name: str, rows: np.ndarray) -> str:
    """One row of the table, from pixels of intersections and unions (N, 2)."""
    each = rows[:, 0] / rows[:, 1]
    pooled = rows[:, 0].sum() / rows[:, 1].sum()
    return f"| {name} | {len(rows)} | {each.mean():.3f} | {np.median(each):.3f} | {pooled:.3f} |"


if __name__ == "__main__":
    main()
