"""Does the plane of valence and arousal show the emotions it names, and do they grow steadily towards their places?

python -m benchmarks.valence_arousal --data DIR --judges DIR [--out DIR]

Edits some frames of each of the twelve clips of ``full/`` in memory. Per emotion: the judges' mean probability of it
before, by the mesh editor's preset, and at the emotion's place on the plane; and on how many clips it rises all along
the line from neutral to that place (five steps; a fall within the judges' noise of .02 does not count).
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch

from thfem_core.expression.editor import editors
from thfem_core.expression.request import Emotion, ExpressionRequest
from thfem_core.expression.valence_arousal.emotion_map import PLACES

from .judge import add_arguments, load_judges, look, markdown_table
from .score_editor import Subject
from .strips import save_strip, tile

PARTS = (0.25, 0.5, 0.75, 1.0)
NOISE = 0.02
FRAMES = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--emotions", nargs="+", choices=PLACES, default=list(PLACES), metavar="EMOTION")
    parser.add_argument("--samples", type=int, default=3, help=f"frames per clip that the judges see, up to {FRAMES}")
    args = parser.parse_args()
    judges = load_judges(args.judges)
    subjects = [Subject(path, FRAMES, judges) for path in sorted((args.data / "full").glob("*.mp4"))]

    def seen(subject: Subject, emotion: Emotion, editor: str, options: dict[str, Any]) -> tuple[float, np.ndarray]:
        """The judges' mean probability of an emotion after an edit, and the middle frame."""
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
        return float(np.mean(found)), images[len(images) // 2]

    rows: list[tuple[object, ...]] = []
    strips: dict[str, list[Any]] = {subject.name: [] for subject in subjects}
    for emotion in args.emotions:
        place = PLACES[emotion]
        before, preset, plane, steady = [], [], [], 0
        for subject in subjects:
            count = len(judges.expression)
            line = [float(np.mean([subject.look.probability(judge, emotion) for judge in range(count)]))]
            neutral, _ = seen(subject, emotion, "valence-arousal", {"valence": 0.0, "arousal": 0.0})
            before.append(line[0])
            line = [neutral]
            for part in PARTS:
                options = {"valence": part * place[0], "arousal": part * place[1]}
                probability, picture = seen(subject, emotion, "valence-arousal", options)
                line.append(probability)
                if part in (0.5, 1.0):
                    middle = subject.look.landmarks[len(subject.look.landmarks) // 2]
                    strips[subject.name].append(tile(picture, middle, 240, f"{emotion} {part:g}"))
            preset.append(seen(subject, emotion, "mesh", {})[0])
            plane.append(line[-1])
            steady += bool((np.diff(line) > -NOISE).all())
        means = [f"{np.mean(values):.2f}" for values in (before, preset, plane)]
        rows.append((emotion, *means, f"{steady} of {len(subjects)}"))
        print(rows[-1], flush=True)
    print(markdown_table(["emotion", "source", "preset", "its place on the plane", "rises all along the line"], rows))
    if args.out:
        for name, tiles in strips.items():
            save_strip(args.out / f"{name}.png", [tiles])


if __name__ == "__main__":
    main()
