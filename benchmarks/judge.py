"""Look at a clip, then compare two versions of it: the measures behind every table of this folder."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import av
import numpy as np
import torch

from thfem_core.errors import InputError
from thfem_core.expression.request import EMOTIONS
from thfem_core.face.mesh.lip_motion import (
    closure_recall,
    lagged_correlation,
    lip_aperture,
    lip_width,
    mouth_landmark_distance,
    mouth_motion_distance,
)
from thfem_core.face.models import FaceModels, default_face_models
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.metrics.face_follower import FaceFollower
from thfem_core.metrics.jitter import added_jitter, jitter_ratio
from thfem_core.metrics.judges.protocol import FeatureExtractor
from thfem_core.metrics.seam import outside_face_difference, seam_step
from thfem_core.metrics.views import clear_views

from .judges.faces import EXPRESSION, IDENTITY, embeddings, load_at_hand, mean_cosine, probabilities

SAMPLES = 16  # frames per clip that the networks and the eyes look at


@dataclass(frozen=True, kw_only=True)
class Judges:
    """Who is asked about a clip.

    expression: Expression networks.
    identity: Face-recognition network, or None.
    faces: Fits the landmarks.
    """

    expression: Sequence[FeatureExtractor]
    identity: FeatureExtractor | None
    faces: FaceModels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds full/, crops/ and ned_pairs/")
    parser.add_argument("--judges", type=Path, required=True, help="the judges' weights, from fetch_judges.py")
    parser.add_argument("--cache", type=Path, help="folder to remember how the judges saw unedited clips")
    parser.add_argument("--out", type=Path, help="folder for pictures and JSON")


def load_judges(folder: Path) -> Judges:
    """Judges whose weight files lie in ``folder``; the identity judge falls back on dlib, then on none."""
    torch.set_num_threads(1)
    expression = load_at_hand(EXPRESSION, folder)
    if not expression:
        raise InputError(f"no expression judge in {folder}; run: python -m benchmarks.fetch_judges {folder}")
    return Judges(
        expression=expression,
        identity=next(iter(load_at_hand(IDENTITY, folder)), None),
        faces=default_face_models(torch.device("cpu")),
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
    memory: Memory | None = None,
) -> Look:
    """Fit landmarks to every image and let the networks see ``samples`` of them.

    near: landmarks (T, 478, 3) of another version of the clip, whose face is to be followed.
    """
    memory = memory or Memory(None, "")
    wanted, seen = set(sample_numbers(count, samples)), {}

    def fit() -> np.ndarray:
        follower, landmarks = FaceFollower(judges.faces), []
        for index, image in enumerate(images):
            frame = ArrayFrame(index=index, time=Fraction(index, 25), pixels=image)
            landmarks.append(follower.fit(frame, near=None if near is None else near[index]))
            if index in wanted:
                seen[index] = image
        return np.stack(landmarks)

    points = memory.recall("landmarks", fit)
    if not seen:
        seen.update((index, image) for index, image in enumerate(images) if index in wanted)
    numbers, pictures = list(seen), list(seen.values())
    emotions = [
        np.nanmean(memory.recall(j.spec.title, partial(probabilities, j, pictures, points[numbers])), axis=0)
        for j in judges.expression
    ]
    embedding = None
    if judges.identity is not None:
        embed = partial(embeddings, judges.identity, pictures, points[numbers])
        embedding = memory.recall(judges.identity.spec.title, embed)
    return Look(landmarks=points, samples=seen, emotions=emotions, embedding=embedding)


class Memory:
    """What judges said about one unchanging clip, as .npy files in a folder (None: remembers nothing)."""

    def __init__(self, folder: Path | None, clip: str) -> None:
        self._folder, self._clip = folder, clip

    def recall(self, what: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
        if self._folder is None:
            return compute()
        path = self._folder / f"{self._clip}_{what.replace(' ', '-')}.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, compute())
        return np.load(path)


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
    memory = Memory(cache, f"{path.stem}_{path.stat().st_size}_{count}")
    return look(islice(read_video(path), count), count, judges, near=near, memory=memory)


def compare(source: Look, output: Look) -> dict[str, float]:
    """All measures of two versions of the same frames, by short names; NaN where one cannot be taken."""
    before, after = clear_views(source.landmarks), clear_views(output.landmarks)
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
