"""Train the reader that tells which emotion a reference clip shows (thfem_core/expression/mesh/recognition.py).

    python -m training.train_expression_reader DATA thfem_core/weights/expression_reader.safetensors

DATA holds ``index.csv`` (columns file, identity, split, emotion) and ``crops/``. Only the splits train and val are
used; clips without a label count as neutral talk, one clip per person. Linear discriminant analysis with a shared
covariance; class means with few clips lean on the hand-set presets. About two minutes on one CPU core. Deterministic.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from thfem_core.expression.mesh.action_units import ACTION_UNITS, MeanExpression, fit_mean_expression
from thfem_core.expression.mesh.presets import preset_units
from thfem_core.expression.mesh.recognition import UNIT_WEIGHT, features, shape_vector
from thfem_core.expression.request import EMOTIONS
from thfem_core.face.mesh.basis import load_basis
from thfem_core.face.mesh.canonical import canonical_shapes
from thfem_core.face.models import FaceModels, default_face_models

from .clip_faces import faces_of_clip

SPLITS = ("train", "val")
COMPONENTS = 30  # what thfem_core/expression/mesh/recognition.py reads
SHRINKAGE = 0.3  # of the covariance towards a multiple of the identity
PRESET_CLIPS = 4.0  # a preset counts as this many clips of its emotion …
PRESET_SHARE = 0.5  # … at this strength, since people who talk show less than the preset
FRAMES_LABELLED, FRAMES_OTHER = 12, 5


def clip_expression(path: Path, models: FaceModels, frames: int) -> MeanExpression | None:
    """Measure evenly spread frames; None if no face was found."""
    landmarks = [points for _, points in faces_of_clip(path, models, frames)]
    if not landmarks:
        return None
    meshes = np.array(landmarks)
    return fit_mean_expression(canonical_shapes(meshes))


def read_data(data: Path, models: FaceModels) -> list[tuple[int, MeanExpression]]:
    """(emotion index, expression) of every clip used."""
    people, clips = set(), []
    for row in csv.DictReader((data / "index.csv").open()):
        label = row["emotion"]
        known = label in EMOTIONS
        if row["split"] not in SPLITS or (label and not known) or (not known and row["identity"] in people):
            continue
        people.add(row["identity"])
        expression = clip_expression(data / "crops" / row["file"], models, FRAMES_LABELLED if known else FRAMES_OTHER)
        if expression is not None:
            clips.append((EMOTIONS.index(label) if known else 0, expression))
    return clips


def train(clips: list[tuple[int, MeanExpression]]) -> dict[str, np.ndarray]:
    """Fit components, class means and covariance; returns the arrays of ExpressionReader."""
    labels = np.array([label for label, _ in clips])
    shapes = np.array([shape_vector(expression.shape) for _, expression in clips])
    neutral = shapes[labels == 0]
    mean = neutral.mean(axis=0)
    _, scale, components = np.linalg.svd(neutral - mean, full_matrices=False)
    projection = components[:COMPONENTS] / (scale[:COMPONENTS, None] / np.sqrt(len(neutral)))

    x = np.array([features(expression, mean=mean, projection=projection) for _, expression in clips])
    counts = np.bincount(labels, minlength=len(EMOTIONS))
    means = np.array([x[labels == k].mean(axis=0) for k in range(len(EMOTIONS))])
    within = np.cov((x - means[labels]).T)
    within = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))

    basis = load_basis()
    fields = np.stack([basis.action_units[basis.index(name)] for name in ACTION_UNITS])
    for k, emotion in enumerate(EMOTIONS[1:], start=1):
        preset = preset_units(emotion)
        shape = projection @ shape_vector(np.tensordot(preset, fields, axes=1))
        expected = PRESET_SHARE * np.concatenate([shape, UNIT_WEIGHT * preset])
        seen = means[k] - means[0]
        means[k] = means[0] + (counts[k] * seen + PRESET_CLIPS * expected) / (counts[k] + PRESET_CLIPS + 1)
    weight = np.linalg.solve(within, means.T).T
    bias = -0.5 * (weight * means).sum(axis=1)
    return {"mean": mean, "projection": projection, "weight": weight, "bias": bias}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    clips = read_data(arguments.data, default_face_models(torch.device("cpu")))
    counts = np.bincount([label for label, _ in clips], minlength=len(EMOTIONS))
    print(dict(zip(EMOTIONS, map(int, counts), strict=True)))
    save_file(
        {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in train(clips).items()},
        arguments.output,
        metadata={
            "emotions": ",".join(EMOTIONS),
            "source": "mean face shapes of clips of MEAD, StyleTalk and public talking-head samples",
            "licence": "CC BY-NC 4.0 (the clips are for research use)",
        },
    )


if __name__ == "__main__":
    main()
