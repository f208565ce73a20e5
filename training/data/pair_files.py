"""Pairs on disk: a folder for each, and a manifest of all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from thfem_core.errors import InputError
from thfem_core.expression.request import Emotion
from thfem_core.media.atomic import complete_file
from thfem_core.media.open_video import open_video
from thfem_core.media.source import open_media

from ..stored import reading
from .pair_plan import PairConfig

_REMEDY = "delete its folder and run python -m training.build_pairs again"
_FINISHED = "[!.]*/pair.json"  # a hidden folder is not finished
_SIDES = ("edited", "target")
_ARRAYS = ("frame_map", "speech", "edited_landmarks", "target_landmarks")


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
        """(T, 256, 256, 3) uint8 of ``edited`` or ``target``. Raises InputError where the file is damaged."""
        path = self.folder / f"{side}.mp4"
        with _naming(path):
            pictures = [frame.rgb() for frame in open_video(path).frames()]
        if len(pictures) != len(self.frame_map):
            raise InputError(f"{path} has {len(pictures)} frames, not {len(self.frame_map)}; {_REMEDY}")
        return np.stack(pictures)


@contextmanager
def _naming(clip: Path) -> Iterator[Path]:
    """Say in which pair a clip is damaged."""
    try:
        yield clip
    except InputError as error:
        raise InputError(f"{clip} is damaged ({error}); {_REMEDY}") from error


def read_facts(path: Path) -> dict[str, Any]:
    """What a ``pair.json`` says. Raises InputError where it is damaged."""
    with reading(path, remedy=_REMEDY):
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for name in ("name", "actor", "emotion", "split", "editor", "frames"):
            facts[name]
        Fraction(facts["frame_rate"]), float(facts["mean_cost"])
    return facts


def read_splits(folder: Path) -> set[str]:
    """The splits that the finished pairs of a folder are of. Raises InputError where a pair is damaged."""
    return {read_facts(path)["split"] for path in folder.glob(_FINISHED)}


def check_settings(config: PairConfig) -> None:
    """Raises InputError where the folder holds pairs of other settings, or a damaged one."""
    for path in sorted(config.out.glob(_FINISHED)):
        facts = read_facts(path)
        made = facts.get("settings", {"editor": facts["editor"]})
        other = [name for name, value in config.settings.items() if made.get(name, value) != value]
        if other:
            then, now = (", ".join(f"{name} {some[name]}" for name in other) for some in (made, config.settings))
            raise InputError(f"{config.out} was made with {then}, not {now}; give another OUT")
        if facts["mean_cost"] > config.max_cost:
            raise InputError(
                f"{config.out} holds pairs that cost more than {config.max_cost:g} per step, such as {facts['name']} "
                f"({facts['mean_cost']:.1f}); give another OUT"
            )


def read_pairs(folder: Path, split: str | None = None) -> list[TrainingPair]:
    """The finished pairs of a folder. Raises InputError where there are none, or one is damaged."""
    pairs = []
    for path in sorted(folder.glob(_FINISHED)):
        facts = read_facts(path)
        if split is not None and facts["split"] != split:
            continue
        data = path.with_name("pair.npz")
        with reading(data, remedy=_REMEDY), np.load(data) as stored:
            arrays = {name: stored[name] for name in _ARRAYS}
        for side in _SIDES:  # not in the middle of a training
            with _naming(path.with_name(f"{side}.mp4")) as clip, open_media(clip):
                pass
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
    with complete_file(path) as part:
        part.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return path
