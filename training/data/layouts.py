"""MEAD and RAVDESS as they are published: which file shows whom with which emotion saying what.

MEAD (Wang et al., ECCV 2020): ``ACTOR/video/front/EMOTION/level_N/SENTENCE.mp4``, sound in ``ACTOR/audio/EMOTION/…``.
RAVDESS (Livingstone and Russo 2018): ``Actor_NN/MM-CC-EE-II-SS-RR-AA.mp4`` for modality, channel, emotion, intensity,
statement, repetition, actor.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from thfem_core.errors import InputError
from thfem_core.expression.request import EMOTIONS, Emotion

from ..stored import reading

# The six speakers of the paper's Section 4.1, and the first six actors of its appendix.
MEAD_ACTORS = ("M003", "M009", "W029", "M012", "M030", "W015")
RAVDESS_ACTORS = tuple(f"Actor_{number:02}" for number in range(1, 7))
_RAVDESS_EMOTIONS: dict[str, Emotion] = {
    "01": "neutral",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgusted",
    "08": "surprised",
}
SPLITS = ("train", "val", "test")
_COLUMNS = ("file", "actor", "emotion", "sentence")
_FULL, _SPEECH, _NORMAL, _STRONG = "01", "01", "01", "02"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class DatasetClip:
    """One clip of a published collection.

    Attributes:
        actor: who speaks.
        emotion: shown.
        sentence: equal where the same words are said.
        name: unique within the collection, usable in file names.
        video: its file.
        sound: a sound file of its own, or None where the video carries it.
        split: "train", "val" or "test" where the collection's table says so; "" leaves it to the rule.
    """

    actor: str
    emotion: Emotion
    sentence: str
    name: str
    video: Path
    sound: Path | None = None
    split: str = ""


def mead_clips(root: Path, actors: tuple[str, ...] = MEAD_ACTORS) -> list[DatasetClip]:
    """The frontal clips of the seven emotions, of every level (210 per actor in the paper's selection: see
    :func:`thirty_per_emotion`). Raises InputError where there are none."""
    return _found(root, "ACTOR/video/front/EMOTION/level_N/SENTENCE.mp4", _mead(root, actors))


def _mead(root: Path, actors: tuple[str, ...]) -> Iterator[DatasetClip]:
    for actor in actors:
        for video in sorted((root / actor / "video" / "front").glob("*/level_*/*.mp4")):
            emotion, level, sentence = video.parts[-3], video.parts[-2], video.stem
            if emotion not in EMOTIONS:
                continue  # contempt, which the paper leaves out
            sounds = sorted((root / actor / "audio" / emotion / level).glob(f"{sentence}.*"))
            yield DatasetClip(
                actor=actor,
                emotion=emotion,
                sentence=sentence,
                name=f"{actor}_{emotion}_{level}_{sentence}",
                video=video,
                sound=sounds[0] if sounds else None,
            )


def thirty_per_emotion(clips: list[DatasetClip], count: int = 30) -> list[DatasetClip]:
    """The paper's 1260 clips are 30 per actor and emotion; which ones it does not say. Here: of the strongest level
    there is (as its examples show), the first ``count`` by name; missing ones from the levels below."""
    chosen: list[DatasetClip] = []
    groups: dict[tuple[str, str], list[DatasetClip]] = {}
    for clip in clips:
        groups.setdefault((clip.actor, clip.emotion), []).append(clip)
    for group in groups.values():
        by_level = sorted(group, key=lambda clip: (-int(clip.video.parts[-2].removeprefix("level_")), clip.name))
        chosen += by_level[:count]
    return sorted(chosen)


def ravdess_clips(root: Path, actors: tuple[str, ...] = RAVDESS_ACTORS) -> list[DatasetClip]:
    """Full-AV speech in seven emotions, the strong intensity where there is one: 28 clips per actor, 168 of six.

    Raises InputError where there are none.
    """
    return _found(root, "Actor_NN/01-01-EE-II-SS-RR-AA.mp4", _ravdess(root, actors))


def _ravdess(root: Path, actors: tuple[str, ...]) -> Iterator[DatasetClip]:
    for actor in actors:
        for video in sorted((root / actor).glob("*.mp4")):
            fields = video.stem.split("-")
            if len(fields) != 7:
                continue
            modality, channel, code, intensity, statement, repetition, _ = fields
            emotion = _RAVDESS_EMOTIONS.get(code)
            spoken = _NORMAL if emotion == "neutral" else _STRONG
            if emotion is None or (modality, channel, intensity) != (_FULL, _SPEECH, spoken):
                continue
            yield DatasetClip(
                actor=actor,
                emotion=emotion,
                sentence=f"{statement}-{repetition}",
                name=f"{actor}_{emotion}_{statement}-{repetition}",
                video=video,
            )


def _found(root: Path, layout: str, clips: Iterator[DatasetClip]) -> list[DatasetClip]:
    found = sorted(clips)
    if not found:
        raise InputError(f"{root} holds no clip laid out as {layout}; give the folder that holds the actors' folders")
    return found


def csv_clips(table: Path) -> list[DatasetClip]:
    """Clips of any collection.

    Args:
        table: CSV in UTF-8 with the columns file (beside the table, or absolute), actor, emotion and sentence, which is
            equal where the same words are said; a column sound may name a sound file of its own, a column split may say
            train, val or test, for splits by person.

    Raises:
        InputError: the table is missing, no such table, or empty; a row lacks something, or two rows are one name.
    """
    clips: dict[str, DatasetClip] = {}
    lines: dict[str, int] = {}
    for number, row in _rows(table):
        clip = _clip(row, table.parent, line := f"line {number} of {table}")
        if clip.name in clips:
            raise InputError(
                f"{line} and line {lines[clip.name]} are both called {clip.name} (actor, emotion, file name); "
                "give one of the files another name"
            )
        clips[clip.name], lines[clip.name] = clip, number
    if not clips:
        raise InputError(f"{table} lists no clip; write a line for each clip below {','.join(_COLUMNS)}")
    return sorted(clips.values())


def _rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    """The lines of a table that are not empty, with their numbers."""
    with reading(table, remedy=f"give a table in UTF-8 with the columns {', '.join(_COLUMNS)}, separated by commas"):
        with table.open(newline="", encoding="utf-8-sig") as file:  # Excel begins its UTF-8 with a byte order mark
            text = file.read()
        if "\0" in text:
            raise ValueError("it holds NUL characters")
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        rows = [(reader.line_num, row) for row in reader]
    found = reader.fieldnames or _COLUMNS  # an empty table lists no clip
    lacking = [name for name in _COLUMNS if name not in found]
    if lacking:
        raise InputError(
            f"{table} has no column {', '.join(lacking)}; its first line is {','.join(found)!r}, and must name "
            f"{','.join(_COLUMNS)}"
        )
    return rows


def _clip(row: dict[str, str], folder: Path, line: str) -> DatasetClip:
    lacking = [name for name in _COLUMNS if not row[name]]
    if lacking or row["emotion"] not in EMOTIONS:
        problem = f"has no {lacking[0]}" if lacking else f"has the emotion {row['emotion']!r}"
        raise InputError(f"{line} {problem}; emotions are: {', '.join(EMOTIONS)}")
    split = row.get("split") or ""
    if split not in ("", *SPLITS):
        raise InputError(f"{line} has the split {split!r}; give one of: {', '.join(SPLITS)}")
    video = folder / row["file"]
    name = f"{row['actor']}_{row['emotion']}_{video.stem}"
    if name.startswith(".") or not name.isprintable() or set("/\\") & set(name):  # it becomes a folder
        raise InputError(f"{line}: {name!r} cannot be a file name; give the actor or the file another name")
    return DatasetClip(
        actor=row["actor"],
        emotion=row["emotion"],
        sentence=row["sentence"],
        name=name,
        video=video,
        sound=folder / row["sound"] if row.get("sound") else None,
        split=split,
    )


DATASETS = ("mead", "ravdess", "csv")


def read_dataset(name: str, root: Path) -> list[DatasetClip]:
    """The clips the paper uses of ``mead`` or ``ravdess``, or those of a table (``csv``). Raises InputError."""
    if name == "mead":
        return thirty_per_emotion(mead_clips(root))
    if name == "ravdess":
        return ravdess_clips(root)
    if name == "csv":
        return csv_clips(root)
    raise InputError(f"unknown data set {name!r}; choose one of: {', '.join(DATASETS)}")
