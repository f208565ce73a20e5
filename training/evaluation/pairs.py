"""Which clips are held out for testing, and which source is edited towards which reference."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from thfem_core.errors import InputError
from thfem_core.expression.request import EMOTIONS, Emotion

from ..data.layouts import DatasetClip

Setting = Literal["intra", "cross"]
TEST_SHARE = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A source clip and whose expression it is to get.

    Attributes:
        setting: "intra" where source and reference are one person, "cross" otherwise.
        source: neutral clip that is edited.
        reference: clip that shows the wished emotion.
    """

    setting: Setting
    source: DatasetClip
    reference: DatasetClip

    @property
    def emotion(self) -> Emotion:
        return self.reference.emotion


def _rank(*words: str) -> str:
    """A fixed random order: the same on every machine, in every run, whatever else the data set holds."""
    return hashlib.sha256("/".join(words).encode()).hexdigest()


def held_out_clips(clips: Sequence[DatasetClip], share: float = TEST_SHARE) -> list[DatasetClip]:
    """A tenth of each emotion, drawn at random once and for all (at least one). The paper draws a tenth of all clips,
    without saying which."""
    held_out: list[DatasetClip] = []
    for emotion in EMOTIONS:
        group = sorted((clip for clip in clips if clip.emotion == emotion), key=lambda clip: _rank("test", clip.name))
        held_out += group[: max(1, round(share * len(group)))] if group else []
    return sorted(held_out)


def make_pairs(clips: Sequence[DatasetClip], setting: Setting, *, share: float = TEST_SHARE) -> list[Pair]:
    """Every held-out neutral clip towards each of the seven emotions.

    References are held-out clips where the wanted person has one of that emotion, else any of theirs; clips with the
    source's sentence are taken first, a neutral source is never its own reference. Raises InputError where a person
    has no clip of an emotion, or (cross) there is only one person.
    """
    if setting not in get_args(Setting):
        raise InputError(f"unknown setting {setting!r}; choose one of: {', '.join(get_args(Setting))}")
    held_out = set(held_out_clips(clips, share))
    actors = sorted({clip.actor for clip in clips})
    if setting == "cross" and len(actors) < 2:
        raise InputError(f"cross-identity pairs need two actors, but there is only {actors[0]}")
    pairs = []
    for source in sorted(clip for clip in held_out if clip.emotion == "neutral"):
        others = [actor for actor in actors if actor != source.actor]
        for emotion in EMOTIONS:
            person = source.actor
            if setting == "cross":
                person = min(others, key=lambda actor: _rank("cross", source.name, emotion, actor))
            fitting = [c for c in clips if (c.actor, c.emotion) == (person, emotion) and c is not source]
            if not fitting:
                raise InputError(f"{person} has no further clip with the emotion {emotion}; add one or leave them out")
            best = min(
                fitting,
                key=lambda c: (c not in held_out, c.sentence != source.sentence, _rank("ref", source.name, c.name)),
            )
            pairs.append(Pair(setting=setting, source=source, reference=best))
    return pairs
