"""Learn how a person shows emotions, for the expression editor ``valence-arousal``.

    python -m training.build_emotion_map DATA anna.safetensors --identity anna

DATA holds ``index.csv`` (columns file, identity, split, emotion) and ``crops/``; without ``--identity`` everybody of
the splits train and val counts. An emotion's units are what its clips show beyond the neutral ones, brought to the
strength of the mesh editor's hand-set preset, since people who talk show less than it. Few clips lean on the preset,
and clips that show something else than the preset teach nothing: on 39 emotional clips of many people the cosines were
.02 to .35, so that the map of everybody is the presets.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from thfem_core.expression.mesh.action_units import MeanExpression, fit_mean_expression
from thfem_core.expression.mesh.presets import preset_units
from thfem_core.expression.request import EMOTIONS, Emotion
from thfem_core.expression.valence_arousal.emotion_map import PLACES
from thfem_core.face.mesh.canonical import canonical_shapes
from thfem_core.face.models import FaceModels, default_face_models

from .clip_faces import faces_of_clip

SPLITS = ("train", "val")
FRAMES = 12  # looked at in a clip
PRESET_CLIPS = 20.0  # a preset counts as this many clips of its emotion
ALIKE = 0.5  # cosine of clips and preset from which the clips show the emotion, and not something else
FARTHEST = 0.3  # from the preset: beyond it a mesh looks wrong
# Units that some emotion uses; what else clips show (speech above all) is no expression.
EXPRESSIVE = np.any([preset_units(emotion) != 0 for emotion in PLACES], axis=0)


def read_clip(path: Path, models: FaceModels) -> MeanExpression | None:
    """Mean expression over evenly spread frames; None where no face is found."""
    landmarks = [points for _, points in faces_of_clip(path, models, FRAMES)]
    return fit_mean_expression(canonical_shapes(np.array(landmarks))) if landmarks else None


def read_activations(data: Path, identity: str | None) -> dict[Emotion, list[np.ndarray]]:
    """Measure every labelled clip.

    Args:
        data: The folder.
        identity: Whose clips count; None for everybody of the splits train and val.

    Returns:
        Emotion → activations (K,) of each of its clips.
    """
    models, resting = default_face_models(torch.device("cpu")), set()
    found: dict[Emotion, list[np.ndarray]] = {emotion: [] for emotion in EMOTIONS}
    with (data / "index.csv").open() as index:
        for row in csv.DictReader(index):
            wanted = row["identity"] == identity if identity is not None else row["split"] in SPLITS
            label = row["emotion"] or "neutral"  # talk without a label is mostly neutral
            if not wanted or label not in EMOTIONS or (not row["emotion"] and row["identity"] in resting):
                continue
            resting |= {row["identity"]} if label == "neutral" else set()
            expression = read_clip(data / "crops" / row["file"], models)
            if expression is not None:
                found[label].append(expression.activation)
    return found


def learn_units(activations: Mapping[Emotion, Sequence[np.ndarray]]) -> dict[Emotion, np.ndarray]:
    """Learn each emotion's units.

    Args:
        activations: Emotion → activations (K,) of its clips; the neutral ones say what the others go beyond.

    Returns:
        Emotion → units (K,); emotions without a clip, or without neutral clips, keep their preset.
    """
    rest = np.mean(activations["neutral"], axis=0) if activations.get("neutral") else None
    learnt: dict[Emotion, np.ndarray] = {}
    for emotion in PLACES:
        preset, clips = preset_units(emotion), activations.get(emotion, ())
        learnt[emotion] = preset
        if rest is None or not len(clips):
            continue
        shown = (np.mean(clips, axis=0) - rest) * EXPRESSIVE
        length, expected = float(np.linalg.norm(shown)), float(np.linalg.norm(preset))
        if length and float(shown @ preset) / (length * expected) >= ALIKE:
            change = (shown * expected / length - preset) * len(clips) / (len(clips) + PRESET_CLIPS)
            learnt[emotion] = np.maximum(preset + np.clip(change, -FARTHEST, FARTHEST), 0.0)
    return learnt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with index.csv and crops/")
    parser.add_argument("output", type=Path, help="the map (.safetensors)")
    parser.add_argument("--identity", help="whose clips count (default: everybody's)")
    arguments = parser.parse_args()
    activations = read_activations(arguments.data, arguments.identity)
    print({emotion: len(clips) for emotion, clips in activations.items()})
    units: dict[str, np.ndarray] = {
        emotion: row.astype(np.float32) for emotion, row in learn_units(activations).items()
    }
    save_file(
        units,
        arguments.output,
        metadata={
            "source": "labelled clips of MEAD and public talking-head samples, and hand-set presets",
            "licence": "CC BY-NC 4.0 (the clips are for research use)",
        },
    )


if __name__ == "__main__":
    main()
