"""Pairs on disk: a folder for each, and a manifest of all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from thfem_core.errors import InputError
from thfem_core.expression.request import Emotion
from thfem_core.media.open_video import open_video

from ..stored import reading
from .pair_plan import PairConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingPair:
    """A finished pair of T frames.

    Attributes:
        folder: where ``edited.mp4`` and ``target.mp4`` lie, 256 × 256 face crops of T frames each.
        actor: the person.
        emotion: wished.
        split: "train" or "val".
        frame_rate: of both clips.
        frame_map: int (T,), which frame of the real clip each target is.
        mean_cost: of the warping, per step.
        speech: int16 (N,) at 16 kHz, of the edited clip.
        edited_landmarks: (T, 478, 3) in pixels of the crops.
        target_landmarks: the same of the targets.
    """

    folder: Path
    actor: str
    emotion: Emotion
    split: str
    frame_rate: Fraction
    frame_map: np.ndarray
    mean_cost: float
    speech: np.ndarray
    edited_landmarks: np.ndarray
    target_landmarks: np.ndarray

    def pictures(self, side: str) -> np.ndarray:
        """(T, 256, 256, 3) uint8 of ``edited`` or ``target``."""
        return np.stack([frame.rgb() for frame in open_video(self.folder / f"{side}.mp4").frames()])


def read_pairs(folder: Path, split: str | None = None) -> list[TrainingPair]:
    """The finished pairs of a folder. Raises InputError where there are none."""
    pairs = []
    for path in sorted(folder.glob("*/pair.json")):
        with reading(path, remedy="delete its folder and run python -m training.build_pairs again"):
            facts = json.loads(path.read_text(encoding="utf-8"))
            if split is not None and facts["split"] != split:
                continue
            with np.load(path.with_name("pair.npz")) as stored:
                arrays = dict(stored)
            pairs.append(
                TrainingPair(
                    folder=path.parent,
                    actor=facts["actor"],
                    emotion=facts["emotion"],
                    split=facts["split"],
                    frame_rate=Fraction(facts["frame_rate"]),
                    mean_cost=facts["mean_cost"],
                    **arrays,
                )
            )
    if not pairs:
        raise InputError(f"no {split or ''} pairs in {folder}; make them with python -m training.build_pairs")
    return pairs


def write_manifest(config: PairConfig, facts: Iterable[dict[str, Any]], lacking: Sequence[str]) -> Path:
    """``manifest.json``: how the pairs were made, every pair with the hashes of its files, and what is missing."""
    rows = sorted(facts, key=lambda row: row["name"])
    manifest = {
        "config": {name: str(value) for name, value in asdict(config).items()},
        "pairs": [row for row in rows if "dropped" not in row],
        "dropped": [row for row in rows if "dropped" in row],
        "lacking": list(lacking),
    }
    path = config.out / "manifest.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    part.replace(path)
    return path
