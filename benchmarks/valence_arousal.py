"""Does the plane of valence and arousal show the emotions it names, and do they grow steadily towards their places?

python -m benchmarks.valence_arousal --data DIR --judges DIR [--out DIR]

Edits some frames of each of the twelve clips of ``full/`` in memory. Per emotion: the judges' mean probability of it
before, by the mesh editor's preset, and at the emotion's place on the plane. Then, on how many clips two things rise
all along the line from neutral to that place, in five steps: the judges' probability (a fall within their noise of .02
does not count), and how far the face has come, by landmarks fitted anew to the finished frames.
"""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

import numpy as np
import torch

from thfem_core.expression.editor import editors
from thfem_core.expression.request import Emotion, ExpressionRequest
from thfem_core.expression.valence_arousal.emotion_map import PLACES

from .judge import add_arguments, load_judges, look, markdown_table
from .score_editor import Subject
from .strips import save_strip, tile

PARTS = (0.0, 0.25, 0.5, 0.75, 1.0)
NOISE = 0.02
FRAMES = 9


class Seen(NamedTuple):
    """probability: the judges' mean. landmarks: (478, 3), mean over the frames. picture: the middle frame."""

    probability: float
    landmarks: np.ndarray
    picture: np.ndarray


def progress(line: list[np.ndarray]) -> np.ndarray:
    """How far each face on the way from the first to the last has come: 0 at the first, 1 at the last."""
    way = line[-1] - line[0]
    return np.array([((face - line[0]) * way).sum() for face in line]) / (way * way).sum()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--emotions", nargs="+", choices=PLACES, default=list(PLACES), metavar="EMOTION")
    parser.add_argument("--samples", type=int, default=3, help=f"frames per clip that the judges see, up to {FRAMES}")
    args = parser.parse_args()
    judges = load_judges(args.judges)
    subjects = [Subject(path, FRAMES, judges) for path in sorted((args.data / "full").glob("*.mp4"))]

    def seen(subject: Subject, emotion: Emotion, editor: str, options: dict[str, Any]) -> Seen:
        """How an edit to an emotion looks."""
        frames = editors.create(editor, options).edit(
            subject.video.frames(),
            subject.tracks,
            ExpressionRequest(emotion=emotion if editor == "mesh" else "neutral"),
            frame_rate=subject.video.info.frame_rate,
            device=torch.device("cpu"),
        )
        images = [frame.rgb() for frame in frames]
        after = look(images, subject.count, judges, near=subject.look.landmarks, samples=args.samples)
        found = [after.probability(judge, emotion) for judge in range(len(judges.expression))]
        return Seen(float(np.mean(found)), after.landmarks.mean(axis=0), images[len(images) // 2])

    rows: list[tuple[object, ...]] = []
    strips: dict[str, list[Any]] = {subject.name: [] for subject in subjects}
    for emotion in args.emotions:
        place = PLACES[emotion]
        before, preset, plane, steady, moving = [], [], [], 0, 0
        for subject in subjects:
            judged = range(len(judges.expression))
            before.append(np.mean([subject.look.probability(judge, emotion) for judge in judged]))
            line = [
                seen(subject, emotion, "valence-arousal", {"valence": part * place[0], "arousal": part * place[1]})
                for part in PARTS
            ]
            middle = subject.look.landmarks[len(subject.look.landmarks) // 2]
            for part, step in zip(PARTS, line, strict=True):
                if part in (0.5, 1.0):
                    strips[subject.name].append(tile(step.picture, middle, 240, f"{emotion} {part:g}"))
            preset.append(seen(subject, emotion, "mesh", {}).probability)
            plane.append(line[-1].probability)
            steady += bool((np.diff([step.probability for step in line]) > -NOISE).all())
            moving += bool((np.diff(progress([step.landmarks for step in line])) > 0).all())
        means = [f"{np.mean(values):.2f}" for values in (before, preset, plane)]
        rows.append((emotion, *means, *(f"{clips} of {len(subjects)}" for clips in (steady, moving))))
        print(rows[-1], flush=True)
    header = ["emotion", "source", "preset", "its place on the plane", "judges' probability rises", "the face goes on"]
    print(f"judges: {', '.join(judge.spec.title for judge in judges.expression)}\n")
    print(markdown_table(header, rows))
    if args.out:
        for name, tiles in strips.items():
            save_strip(args.out / f"{name}.png", [tiles])


if __name__ == "__main__":
    main()
