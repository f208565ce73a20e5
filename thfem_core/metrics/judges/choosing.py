"""Which judges to ask: those that are at hand, the official ones, or the offline stand-ins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

import torch

from ...errors import InputError
from ...progress import Progress, silent
from ...registry import Resources
from .protocol import FeatureExtractor, Judge, PictureDistance, SyncExpert
from .spec import judge_spec, judges

Choice = Literal["auto", "official", "offline", "none"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Judges:
    """Loaded judges, besides the embedded face mesh.

    extractors: Networks for identity and expression.
    sync: Experts for lips and sound.
    pictures: Distance of pictures, used only where the true clip is given; None if there is none.
    """

    extractors: Sequence[FeatureExtractor] = ()
    sync: Sequence[SyncExpert] = ()
    pictures: PictureDistance | None = None


def choose_judges(
    choice: str,
    *,
    device: torch.device,
    folders: Sequence[Path] = (),
    with_truth: bool = False,
    progress: Progress = silent,
) -> tuple[Judges, tuple[str, ...]]:
    """Load judges from the registry.

    Args:
        choice: ``auto`` for all that are at hand, without any download; ``official`` for all networks of the papers,
            downloaded where a hub has them; ``offline`` for the stand-ins at hand; ``none`` for landmarks and pixels
            only.
        device: Where the networks run.
        folders: Folders searched for model files before the usual ones.
        with_truth: Whether the true clip is known, which judges of kind ``pictures`` need.
        progress: Hears of downloads.

    Returns:
        The judges, and the names of those left out because files or packages are not on this machine.

    Raises:
        InputError: ``choice`` is another word.
        WeightsError: A file is damaged, or an official network cannot be had.
    """
    if choice not in get_args(Choice):
        raise InputError(f"networks is {choice!r}; choose one of: {', '.join(get_args(Choice))}")
    loaded: list[Judge] = []
    missing = []
    for name in judges if choice != "none" else ():
        spec = judge_spec(name)
        if spec.kind == "pictures" and not with_truth:
            continue
        if choice != "auto" and spec.official != (choice == "official"):
            continue
        if choice == "official" or spec.is_at_hand(folders):
            resources = Resources(device=device, folders=tuple(folders), progress=progress)
            loaded.append(judges.create(name, resources=resources))
        else:
            missing.append(name)
    return _by_kind(loaded), tuple(missing)


def _by_kind(loaded: Sequence[Judge]) -> Judges:
    """Sort judges by the protocol that their kind stands for."""
    extractors = [judge for judge in loaded if judge.spec.kind in ("identity", "expression")]
    return Judges(
        extractors=cast("list[FeatureExtractor]", extractors),
        sync=cast("list[SyncExpert]", [judge for judge in loaded if judge.spec.kind == "sync"]),
        pictures=cast(
            "PictureDistance | None", next((judge for judge in loaded if judge.spec.kind == "pictures"), None)
        ),
    )
