"""Look at a clip, then compare two versions of it: the measures behind every table of this folder."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import torch

from thfem_core.face.models import FaceModels, face_models
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.metrics.jitter import added_jitter, jitter_ratio
from thfem_core.metrics.lip_motion import (
    closure_recall,
    lagged_correlation,
    lip_aperture,
    lip_width,
    mouth_landmark_distance,
    mouth_motion_distance,
)
from thfem_core.metrics.seam import outside_face_difference, seam_step

from .judges.expression import EMOTIONS, ExpressionJudge, load_expression_judges
from .judges.identity import IdentityJudge, load_identity_judge, mean_cosine
from .judges.landmarks import RawLandmarks

SAMPLES = 16  # frames per clip that the networks and the eyes look at


@dataclass(frozen=True, kw_only=True)
class Judges:
    expression: Sequence[ExpressionJudge]
    identity: IdentityJudge | None
    faces: FaceModels

    def key(self) -> str:
        """Which judges these are, as part of a file name."""
        names = [judge.name for judge in (*self.expression, *([self.identity] if self.identity else []))]
        return "+".join(names).replace(" ", "-")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds full/, crops/ and ned_pairs/")
    parser.add_argument("--judges", type=Path, required=True, help="the judges' weights, from fetch_judges.py")
    parser.add_argument("--cache", type=Path, help="folder to remember how the judges saw unedited clips")
    parser.add_argument("--out", type=Path, help="folder for pictures and JSON")


def load_judges(folder: Path) -> Judges:
    """Judges whose weight files lie in ``folder``; the identity judge falls back on dlib, then on none."""
    torch.set_num_threads(1)
    second, identity = folder / "model.pkl", folder / "mobilefacenet.pt"
    return Judges(
        expression=load_expression_judges(folder / "emotion_model.hdf5", second if second.exists() else None),
        identity=load_identity_judge(identity if identity.exists() else None),
        faces=face_models.load("mediapipe")(device=torch.device("cpu")),
    )


@dataclass(frozen=True, kw_only=True)
class Look:
    """One pass over a clip. landmarks: (T, 478, 3), unsmoothed. samples: frame number → (H, W, 3) uint8.

    emotions: per judge (7,), the mean over the samples. embedding: (samples, 128) or None.
    """

    landmarks: np.ndarray
    samples: dict[int, np.ndarray]
    emotions: list[np.ndarray]
    embedding: np.ndarray | None

    def probability(self, judge: int, emotion: str) -> float:
        return float(self.emotions[judge][EMOTIONS.index(emotion)])


def sample_numbers(count: int, samples: int = SAMPLES) -> list[int]:
    """Frame numbers spread evenly over a clip of ``count`` frames."""
    return sorted(set(np.linspace(0, count - 1, samples).round().astype(int).tolist()))


def read_video(path: Path) -> Iterable[np.ndarray]:
    """Decoded frames as (H, W, 3) uint8, straight from PyAV: the judges do not trust the code they judge."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def count_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


def look(
    images: Iterable[np.ndarray],
    count: int,
    judges: Judges,
    *,
    near: np.ndarray | None = None,
    samples: int = SAMPLES,
) -> Look:
    """Fit landmarks to every image and let the networks see ``samples`` of them. near: see RawLandmarks."""
    follower, wanted = RawLandmarks(judges.faces, near), set(sample_numbers(count, samples))
    landmarks, seen = [], {}
    for index, image in enumerate(images):
        landmarks.append(follower.fit(ArrayFrame(index=index, time=Fraction(index, 25), pixels=image)))
        if index in wanted:
            seen[index] = image
    points = np.stack(landmarks)
    numbers, pictures = list(seen), list(seen.values())
    with np.errstate(invalid="ignore"):
        emotions = [np.nanmean(j.probabilities(pictures, points[numbers]), axis=0) for j in judges.expression]
    embedding = judges.identity.embed(pictures, points[numbers]) if judges.identity else None
    return Look(landmarks=points, samples=seen, emotions=emotions, embedding=embedding)


def look_at_file(
    path: Path,
    judges: Judges,
    *,
    near: np.ndarray | None = None,
    frames: int | None = None,
    cache: Path | None = None,
) -> Look:
    """:func:`look` at the first ``frames`` frames of a video file, or all.

    cache: a folder that remembers looks at files that never change.
    """
    count = count_frames(path) if frames is None else min(frames, count_frames(path))
    images = islice(read_video(path), count)
    store = None if cache is None else cache / f"{path.stem}_{path.stat().st_size}_{count}_{judges.key()}.npz"
    if store is not None and store.exists():
        kept, wanted = np.load(store), set(sample_numbers(count))
        return Look(
            landmarks=kept["landmarks"],
            samples={index: image for index, image in enumerate(images) if index in wanted},
            emotions=list(kept["emotions"]),
            embedding=kept["embedding"] if kept["embedding"].size else None,
        )
    seen = look(images, count, judges, near=near)
    if store is not None:
        store.parent.mkdir(parents=True, exist_ok=True)
        embedding = np.empty(0) if seen.embedding is None else seen.embedding
        np.savez_compressed(store, landmarks=seen.landmarks, emotions=np.stack(seen.emotions), embedding=embedding)
    return seen


def compare(source: Look, output: Look) -> dict[str, float]:
    """All measures of two versions of the same frames, by short names; NaN where one cannot be taken."""
    before, after = source.landmarks, output.landmarks
    aperture = lip_aperture(before), lip_aperture(after)
    opening, width = lagged_correlation(*aperture), lagged_correlation(lip_width(before), lip_width(after))
    closures = closure_recall(*aperture)
    shared = [i for i in source.samples if i in output.samples and np.isfinite(before[i, 0, 0])]
    same_size = all(source.samples[i].shape == output.samples[i].shape for i in shared)
    views = [(source.samples[i], output.samples[i], before[i]) for i in shared] if same_size else []
    identity = float("nan")
    if source.embedding is not None and output.embedding is not None:
        identity = mean_cosine(source.embedding, output.embedding)
    return {
        "aperture_r": opening.at_zero,
        "aperture_lag": opening.lag,
        "aperture_best_r": opening.best,
        "width_r": width.at_zero,
        "lip_distance": _mean(mouth_landmark_distance(before, after)),
        "inner_lip_distance": _mean(mouth_landmark_distance(before, after, inner_only=True)),
        "lip_motion_distance": _mean(mouth_motion_distance(before, after)),
        "closure_recall": closures.recall,
        "closures": closures.closures,
        "identity": identity,
        "jitter_ratio": jitter_ratio(before, after),
        "added_jitter": added_jitter(before, after),
        "seam_step": _mean([seam_step(*view) for view in views]),
        "outside_difference": _mean([outside_face_difference(*view) for view in views]),
    }


def _mean(values: Sequence[float] | np.ndarray) -> float:
    finite = [float(v) for v in values if np.isfinite(v)]
    return float(np.mean(finite)) if finite else float("nan")


def mean(values: Iterable[float]) -> float:
    return _mean(list(values))


def median(values: Iterable[float]) -> float:
    finite = [float(v) for v in values if np.isfinite(v)]
    return float(np.median(finite)) if finite else float("nan")


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])
