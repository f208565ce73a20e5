"""The user study of Table 4: which of two results looks more real, shows the emotion better, keeps the lips better?

A folder with one static page and its videos: put it on any web server, or open it from disk. The page knows systems
only as ``a`` and ``b`` of an item; ``key.json``, which stays with the researcher, knows their names.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from thfem_core.errors import InputError
from thfem_core.expression.request import EMOTIONS
from thfem_core.media.atomic import complete_file

from ..stored import make_folder, reading
from .tables import PAPER, Table

QUESTIONS = {
    "realism": ("Realism", "Which video looks more like a real recording?"),
    "emotion": ("Emotion similarity", "In which video is the expression closer to that of the reference above?"),
    "mouth": ("Mouth shape similarity", "In which video do the lips move more like those of the source above?"),
}
TEMPLATE = Path(__file__).with_name("study_page.html")
_ANSWERS = "give the CSV files that participants of this study sent"
FIELDS = ("participant", "item", "left", "chosen", "seconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A finished result of a system, with the clips it was made from."""

    system: str
    setting: str
    emotion: str
    source_clip: str
    video: Path
    source: Path
    reference: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One choice. question: key of QUESTIONS. a, b: system names. shown: video file above the two, or ""."""

    name: str
    question: str
    emotion: str
    a: str
    b: str
    video_a: str
    video_b: str
    shown: str


def make_items(results: Sequence[Result], pairs: Sequence[tuple[str, str]], *, per_emotion: int = 2) -> list[Item]:
    """Every question for ``per_emotion`` results per emotion and pair of systems (the paper: 14 videos per pair).

    Raises InputError where a pair has no emotion in common.
    """
    items = []
    for first, second in pairs:
        by_job = {
            system: {(r.setting, r.source_clip, r.emotion): r for r in results if r.system == system}
            for system in (first, second)
        }
        shared = sorted(by_job[first].keys() & by_job[second].keys())
        if not shared:
            raise InputError(f"{first} and {second} have no result of the same clip; run both on the same pairs")
        for emotion in EMOTIONS:
            jobs = sorted((job for job in shared if job[2] == emotion), key=lambda job: _hash("pick", *job))
            for job in jobs[:per_emotion]:
                a, b = by_job[first][job], by_job[second][job]
                for question in QUESTIONS:
                    shown = {"realism": None, "emotion": a.reference, "mouth": a.source}[question]
                    items.append(
                        Item(
                            name=_hash(question, first, second, *job)[:12],
                            question=question,
                            emotion=emotion,
                            a=first,
                            b=second,
                            video_a=_video_name(a.video),
                            video_b=_video_name(b.video),
                            shown="" if shown is None else _video_name(shown),
                        )
                    )
    return items


def write_study(results: Sequence[Result], items: Sequence[Item], folder: Path) -> Path:
    """``index.html``, ``videos/`` and ``key.json`` in ``folder``; returns the page. Raises OutputError."""
    make_folder(folder / "videos")
    used = {name for item in items for name in (item.video_a, item.video_b, item.shown) if name}
    for result in results:
        for video in (result.video, result.source, result.reference):
            target = folder / "videos" / _video_name(video)
            if target.name in used and not target.exists():
                with complete_file(target) as path:
                    shutil.copyfile(video, path)
    blind = [{"name": i.name, "question": i.question, "a": i.video_a, "b": i.video_b, "shown": i.shown} for i in items]
    questions = {key: escape(text) for key, (_, text) in QUESTIONS.items()}
    page = TEMPLATE.read_text(encoding="utf-8")
    for mark, value in (("/*ITEMS*/[]", blind), ("/*QUESTIONS*/{}", questions)):
        page = page.replace(mark, json.dumps(value).replace("</", "<\\/"))
    with complete_file(folder / "index.html") as path:
        path.write_text(page, encoding="utf-8")
    with complete_file(folder / "key.json") as path:
        path.write_text(json.dumps([asdict(item) for item in items], indent=1), encoding="utf-8")
    return folder / "index.html"


def ratings(key: Path, answers: Iterable[Path]) -> Table:
    """The shares of Table 4 from the participants' CSV files, the paper's own in brackets where it has that pair.

    An answer given twice by one participant counts once, the last. Raises InputError for a file that is missing,
    damaged, or of another study.
    """
    with reading(key, remedy="give the key.json that `python -m training.evaluate study` wrote"):
        items = {entry["name"]: Item(**entry) for entry in json.loads(key.read_text(encoding="utf-8"))}
    votes: dict[tuple[str, str], str] = {}
    for path in answers:
        with reading(path, remedy=_ANSWERS), path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if set(FIELDS) - set(row) or row["item"] not in items or row["chosen"] not in ("a", "b"):
                    raise InputError(f"{path} holds answers to another study; {_ANSWERS}")
                votes[row["participant"], row["item"]] = row["chosen"]
    pairs = list(dict.fromkeys((item.a, item.b) for item in items.values()))
    paper = json.loads(PAPER.read_text(encoding="utf-8"))["4"]["questions"]
    rows = []
    for question, (title, _) in QUESTIONS.items():
        cells = [title]
        for a, b in pairs:
            chosen = [v for (_, name), v in votes.items() if _is(items[name], question, a, b)]
            theirs = next(((x, y) for p, x, q, y in paper[question] if (p, q) == (a, b)), None)
            for side, letter in enumerate("ab"):
                share = f"{100 * chosen.count(letter) / len(chosen):.0f} %" if chosen else "–"
                cells.append(share if theirs is None else f"{share} ({theirs[side]} %)")
        rows.append(tuple(cells))
    people = len({person for person, _ in votes})
    return Table(
        title=f"Table 4: {people} participants, {len(votes)} answers",
        header=("Metrics", *(name for pair in pairs for name in pair)),
        rows=tuple(rows),
    )


def _is(item: Item, question: str, a: str, b: str) -> bool:
    return (item.question, item.a, item.b) == (question, a, b)


def _hash(*words: str) -> str:
    return hashlib.sha256("/".join(words).encode()).hexdigest()


def _video_name(path: Path) -> str:
    """A name that tells nothing about the system."""
    return f"{_hash(str(path.absolute()))[:16]}{path.suffix}"
