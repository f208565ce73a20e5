"""How well the occlusion network sees what is in front of a face, and what it costs.

    python -m benchmarks.occlusion FACES [--samples 400] [--people 80] [--calls 200] [--look PICTURE]
    python -m benchmarks.occlusion FACES --choose

FACES is the folder that ``python -m training.build_face_pictures DATA FACES`` makes; measured on its test people, whom
training never saw. Covered: drawn occluders of textures and fonts that training never saw. Clean: the people as they
are, spectacles, beards and all. ``occluded_clips.txt`` names the clips that show something real in front of the face or
at its border, mostly headset microphones, found by looking at every picture: where the truth is not known, nothing is
drawn. ``--choose`` tries thresholds on the validation people instead.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

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

OCCLUDED = tuple(Path(__file__).with_name("occluded_clips.txt").read_text(encoding="utf-8").split())
LEAST = 0.02  # share of the face that must be covered for a sample to count
SIZES = (0.02, 0.05, 0.15, 1.0)  # shares of the face that are covered, from small to large
# --choose: what is tried, and by how much the choice may overlap less than the best.
SMALLEST, SUREST, WITHIN = (8, 16, 24, 32), (0.8, 0.9, 0.95, 0.98, 0.99), 0.0101


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What the network said of a picture: (64, 64) probabilities, and (128, 128) truth and face."""

    kind: str
    person: str
    covered: np.ndarray
    truth: np.ndarray
    face: np.ndarray

    def overlap(self, **thresholds: float) -> tuple[float, float, float]:
        """Pixels of the face in the intersection and in the union of truth and answer, and covered share of it."""
        truth, answer = self.truth & self.face, believed(self.covered, **thresholds) & self.face
        return (truth & answer).sum(), (truth | answer).sum(), truth.sum() / self.face.sum()


def believed(covered: np.ndarray, **thresholds: Any) -> np.ndarray:
    """(128, 128) bool: what an edit takes as covered, before it looks at other frames."""
    kept = without_islands(covered, **thresholds)
    return cv2.resize(kept, (PIXELS, PIXELS), interpolation=cv2.INTER_LINEAR) > 0.5


def drawn_samples(net: OcclusionNet, faces: FacePictures, each: int) -> list[Seen]:
    """So many samples of every kind; those that cover too little to count are left out."""
    found = []
    for kind in KINDS:
        for number in range(each):
            sample = drawn_sample(faces, kind, number)
            if (sample.covered & sample.face).sum() > LEAST * sample.face.sum():
                covered = covered_pixels([sample.picture], net)[0]
                found.append(Seen(kind=kind, person="", covered=covered, truth=sample.covered, face=sample.face))
    return found


def drawn_sample(faces: FacePictures, kind: str, number: int) -> Sample:
    rng = np.random.default_rng([KINDS.index(kind), number])
    return draw_sample(rng, faces, number * 7919 % len(faces.people), unseen=True, kind=kind)


def clean_pictures(net: OcclusionNet, faces: FacePictures, people: int) -> list[Seen]:
    """All pictures of so many people, as they are."""
    found: list[Seen] = []
    for stored, outline, person in zip(faces.pictures, faces.outlines, faces.people, strict=True):
        known = {seen.person for seen in found}
        if str(person) not in known and len(known) == people:
            continue
        edge = (len(stored) - PIXELS) // 2
        picture = np.ascontiguousarray(stored[edge : edge + PIXELS, edge : edge + PIXELS])
        face = fill(outline[list(FACE_OVAL)].astype(np.float32) - edge, PIXELS) > 0.5
        covered = covered_pixels([picture], net)[0]
        found.append(Seen(kind="", person=str(person), covered=covered, truth=np.zeros_like(face), face=face))
    return found


def false_alarms(clean: list[Seen], **thresholds: float) -> np.ndarray:
    """Share of the pixels of each person's faces that are called covered, over all of their pictures."""
    shares: dict[str, list[float]] = {}
    for seen in clean:
        answer = believed(seen.covered, **thresholds) & seen.face
        shares.setdefault(seen.person, []).append(float(answer.sum() / seen.face.sum()))
    return np.array([np.mean(values) for values in shares.values()])


def choose(drawn: list[Seen], clean: list[Seen]) -> None:
    """Print what each pair of thresholds gives, and the most careful of those that overlap about as well as the best.

    Ten validation people say little about false alarms, which therefore count for more than the last hundredth.
    """
    print("| least pixels | surest | IoU, mean | false alarms, % |\n|---|---|---|---|")
    tried = []
    for smallest in SMALLEST:
        for surest in SUREST:
            thresholds = {"smallest": smallest, "surest": surest}
            rows = np.array([seen.overlap(**thresholds) for seen in drawn])
            overlap, false = (rows[:, 0] / rows[:, 1]).mean(), false_alarms(clean, **thresholds).mean()
            tried.append((round(overlap, 3), false, smallest, surest))
            print(f"| {smallest} | {surest} | {overlap:.3f} | {100 * false:.2f} |")
    best = max(row[0] for row in tried)
    careful = min((row for row in tried if row[0] >= best - WITHIN), key=lambda row: (row[1], -row[2], -row[3]))
    print(f"\nmost careful within {WITHIN:g} of the best: {careful[2:]}")


def draw_look(net: OcclusionNet, faces: FacePictures, path: Path) -> None:
    """Write a picture of some samples of every kind: truth outlined in green, answer in magenta."""
    rows = []
    for kind in KINDS:
        row = []
        for number in range(10):
            sample = drawn_sample(faces, kind, number)
            shown, answer = sample.picture.copy(), believed(covered_pixels([sample.picture], net)[0])
            for mask, colour in ((sample.covered, (0, 255, 0)), (answer, (255, 0, 255))):
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
    parser.add_argument("--choose", action="store_true", help="try thresholds on the validation people")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    net = load_occlusion_net(torch.device("cpu"))
    split = "val" if arguments.choose else "test"
    faces = load_faces(arguments.faces, split, OCCLUDED)
    drawn = drawn_samples(net, faces, arguments.samples // len(KINDS))
    clean = clean_pictures(net, faces, arguments.people)
    if arguments.choose:
        choose(drawn, clean)
        return

    print(f"{sum(weight.numel() for weight in net.parameters())} parameters\n")
    print("| in front of the face | samples | IoU, mean | median | all pixels |\n|---|---|---|---|---|")
    rows = np.array([seen.overlap() for seen in drawn])
    kinds = np.array([seen.kind for seen in drawn])
    for kind in KINDS:
        print(iou_row(kind, rows[kinds == kind]))
    for low, high in pairwise(SIZES):
        print(
            iou_row(f"{100 * low:g} to {100 * high:g} % of the face", rows[(rows[:, 2] > low) & (rows[:, 2] <= high)])
        )
    print(iou_row("all", rows))

    everybody = clean_pictures(net, load_faces(arguments.faces, split), arguments.people)
    for who, pictures in (("nothing", clean), ("nothing drawn, but real microphones and hands,", everybody)):
        shares = false_alarms(pictures)
        print(
            f"\n{len(shares)} people with {who} before them: {100 * shares.mean():.2f} % of the face's pixels are "
            f"called covered; {(shares > 0.01).sum()} people above 1 %, the worst {100 * shares.max():.1f} %"
        )
    print()
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
    """One row of the table, from :meth:`Seen.overlap` of N samples (N, 3)."""
    each = rows[:, 0] / rows[:, 1]
    pooled = rows[:, 0].sum() / rows[:, 1].sum()
    return f"| {name} | {len(rows)} | {each.mean():.3f} | {np.median(each):.3f} | {pooled:.3f} |"


if __name__ == "__main__":
    main()
