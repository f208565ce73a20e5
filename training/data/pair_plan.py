"""Which pairs of training data a data set allows: every neutral clip towards each of the seven emotions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thfem_core.errors import InputError
from thfem_core.expression.request import EMOTIONS

from ..evaluation.pairs import held_out_clips
from .layouts import DatasetClip


@dataclass(frozen=True, kw_only=True, slots=True)
class PairConfig:
    """How pairs are made.

    Attributes:
        out: folder of all pairs.
        editor: of the registry.
        by_label: edit to the emotion's label instead of the driver clip.
        frames: for the editor "frames", the folder of another system's results (see training.evaluation.systems).
        max_cost: largest mean cost per step of a warping whose clips can have the same words; L1 over 13 cepstra.
        search: look for the same words by the sound among all clips of the person and emotion, whatever sentence they
            are said to have; of those, the cheapest warping counts.
        alignments: folder of frame maps made elsewhere (see :func:`.pair_alignment.read_alignment`), used where one has
            the pair's name.
        device: see :func:`thfem_core.device.resolve_device`.
    """

    out: Path
    editor: str = "mesh"
    by_label: bool = False
    frames: Path | None = None
    max_cost: float = 110.0
    search: bool = False
    alignments: Path | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not self.max_cost > 0:  # nan is not, either
            raise InputError(f"--max-cost is {self.max_cost:g}; give a number above 0, such as 110")
        if (self.editor == "frames") != (self.frames is not None):
            raise InputError("--editor frames and --frames DIR, the folder of another system's results, go together")
        for option, folder in (("--frames", self.frames), ("--alignments", self.alignments)):
            if folder is not None and not folder.is_dir():
                raise InputError(f"{option}: there is no folder {folder}; check the path")

    @property
    def settings(self) -> dict[str, Any]:
        """What must be the same for all pairs of a folder; the largest cost may rise."""
        names = ("editor", "by_label", "frames", "search", "alignments")
        return {name: str(value) if isinstance(value := getattr(self, name), Path) else value for name in names}


@dataclass(frozen=True, kw_only=True, slots=True)
class PairJob:
    """What becomes one pair.

    Attributes:
        config: of all pairs.
        source: neutral clip that is edited.
        target: real clip with its words in the wished emotion; the source itself for neutral.
        candidates: clips among which the target is looked for by the sound; empty where it is known.
        driver: clip of the same person that shows the emotion to the editor.
        split: the one the table of clips gives its source; else "train", or "val" where a clip is held out for testing.
    """

    config: PairConfig
    source: DatasetClip
    target: DatasetClip
    driver: DatasetClip
    split: str
    candidates: tuple[DatasetClip, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.source.name}__{self.target.emotion}"


def plan_pairs(clips: Sequence[DatasetClip], config: PairConfig) -> tuple[list[PairJob], list[str]]:
    """Every neutral clip towards each of the seven emotions.

    Returns:
        The jobs, and a line for each wish without a real clip of the same words.

    Raises:
        InputError: no clip is neutral.
    """
    held_out = set(held_out_clips(clips))
    sources = [clip for clip in clips if clip.emotion == "neutral"]
    if not sources:
        raise InputError(f"none of the {len(clips)} clips is neutral, so there is nothing to edit; add neutral clips")
    jobs, lacking = [], []
    for source in sources:
        for emotion in EMOTIONS:
            shown = [clip for clip in clips if (clip.actor, clip.emotion) == (source.actor, emotion)]
            same_words = [clip for clip in shown if config.search or clip.sentence == source.sentence]
            if not same_words:
                lacking.append(f"{source.name} to {emotion}: {source.actor} says these words in no such clip")
                continue
            neutral = emotion == "neutral"
            target = source if neutral else same_words[0]
            others = [clip for clip in shown if clip is not source]
            split = source.split or ("val" if {source, target} & held_out else "train")
            driver = others[0] if neutral and others else target
            candidates = tuple(same_words) if config.search and not neutral else ()
            jobs.append(
                PairJob(config=config, source=source, target=target, driver=driver, split=split, candidates=candidates)
            )
    return jobs, lacking
