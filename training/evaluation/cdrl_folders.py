"""The paper group's protocol on folders of pictures that any system published."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from thfem_core.errors import InputError
from thfem_core.metrics.cdrl.protocol import ACTORS, EMOTIONS, Dataset, expected_frames

from ..data.layouts import DatasetClip
from .cdrl import SKIPPED, EmotionJob, PictureSource

_TEST_SENTENCE = "02-02"  # of RAVDESS: its test list has this clip of every actor and emotion; MEAD's is not public
_NO_LIST = (
    "no LSE-D: a folder of MEAD joins several clips, and which ones nobody has published; "
    "with a result per clip, training.evaluate run --systems NAME=frames:DIR measures it"
)


def folder_jobs(
    generated: Path,
    real: Path,
    dataset: Dataset,
    setting: str,
    system: str,
    *,
    clips: Sequence[DatasetClip] = (),
    **settings: object,
) -> tuple[list[EmotionJob], list[str]]:
    """Jobs over published folders ``EMOTION/ACTOR/NNNNNN.png``, in the protocol's order of emotions and actors.

    Args:
        generated: whose pictures are judged.
        real: pictures of the same actors in that emotion.
        dataset: whose test list the folders follow.
        setting: "intra" or "cross".
        system: its name.
        clips: the data set, for the sound of the source clips.
        settings: of :class:`EmotionJob`.

    Returns:
        The jobs, and a line where a folder has other numbers of pictures than the protocol's test list (NED lacks the
        first two), or no known sound, so no LSE-D.
    """
    jobs, notes = [], []
    if dataset == "mead":
        notes.append(_NO_LIST)
    for emotion in EMOTIONS:
        actors = [a for a in ACTORS[dataset] if (generated / emotion / a).is_dir() and (real / emotion / a).is_dir()]
        if not actors:
            continue
        judged = {}
        for actor in actors:
            expected = expected_frames(dataset, actor, emotion, setting)
            count = sum(1 for path in (generated / emotion / actor).iterdir() if path.suffix.lower() == ".png")
            sound = _test_clip(clips, actor, "neutral" if setting == "cross" else emotion)
            if count not in (expected, expected - SKIPPED):
                notes.append(f"{emotion}/{actor}: {count} pictures, the protocol has {expected}")
                sound = None  # which picture shows which moment is not known
            elif sound is None and dataset == "ravdess":
                notes.append(f"{emotion}/{actor}: no LSE-D, for ROOT lacks the clip of statement 2, repetition 2")
            skipped = SKIPPED if count == expected else 0
            judged[actor] = (PictureSource(path=generated / emotion / actor, sound=sound, skipped=skipped),)
        shown = {actor: (PictureSource(path=real / emotion / actor),) for actor in actors}
        jobs.append(
            EmotionJob(system=system, setting=setting, emotion=emotion, generated=judged, real=shown, **settings)  # type: ignore[arg-type]
        )
    if not jobs:
        raise InputError(f"{generated} and {real} share no folder EMOTION/ACTOR of the {dataset} test list")
    return jobs, notes


def _test_clip(clips: Iterable[DatasetClip], actor: str, emotion: str) -> DatasetClip | None:
    """RAVDESS's test clip of an actor and emotion. MEAD's sentences never have this name."""
    wanted = (actor, emotion, _TEST_SENTENCE)
    return next((clip for clip in clips if (clip.actor, clip.emotion, clip.sentence) == wanted), None)
