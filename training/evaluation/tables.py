"""Tables 1, 2, 3, 5, 6, 9 and 10 in the paper's form, as Markdown, CSV and LaTeX, next to the paper's own numbers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from thfem_core.expression.request import EMOTIONS

from .results import AVERAGE, PAPER_COLUMNS, Column, Results, mesh_columns

PAPER = Path(__file__).with_name("paper_tables.json")
_SETTING_WORDS = {"intra": "Intra-ID", "cross": "Cross-ID"}
_BY_EMOTION = {("mead", "intra"): 1, ("mead", "cross"): 2, ("ravdess", "intra"): 9, ("ravdess", "cross"): 10}
_NOT_THE_PAPERS = 0  # number of a table of other clips, of which the paper printed nothing
_PAPER_LABELS = ("FAD↓", "LSE-D↓", "CSIM↑")


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table of texts.

    Attributes:
        title: what it shows.
        header: names of the columns.
        rows: of as many cells.
        groups: (name, number of columns) over the header, or empty.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    groups: tuple[tuple[str, int], ...] = ()

    def markdown(self) -> str:
        names = self._flat_header()
        lines = [f"**{self.title}**", "", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows])

    def csv(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self._flat_header())
        writer.writerows(self.rows)
        return text.getvalue()

    def latex(self) -> str:
        lead = len(self.header) - sum(count for name, count in self.groups if name) if self.groups else 2
        layout = "l" * lead + "r" * (len(self.header) - lead)
        lines = [f"% {self.title}", rf"\begin{{tabular}}{{{layout}}}", r"\toprule"]
        if self.groups:
            cells = [rf"\multicolumn{{{count}}}{{c}}{{{_tex(name)}}}" for name, count in self.groups]
            lines.append(" & ".join(cells) + r" \\")
        lines += [" & ".join(map(_tex, self.header)) + r" \\", r"\midrule"]
        lines += [" & ".join(map(_tex, row)) + r" \\" for row in self.rows]
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])

    def _flat_header(self) -> list[str]:
        owners = [name for name, count in self.groups for _ in range(count)] or [""] * len(self.header)
        return [f"{owner} {name}".strip() for owner, name in zip(owners, self.header, strict=True)]


def _tex(text: str) -> str:
    for plain, command in (
        ("\\", r"\textbackslash{}"),
        ("&", r"\&"),
        ("%", r"\%"),
        ("_", r"\_"),
        ("#", r"\#"),
        ("↓", r"$\downarrow$"),
        ("↑", r"$\uparrow$"),
        ("→", r"$\to$"),
        ("–", "--"),
    ):
        text = text.replace(plain, command)
    return text


class PaperNumbers:
    """What the paper printed, by table, setting, system, emotion and measure."""

    def __init__(self) -> None:
        self._tables = json.loads(PAPER.read_text(encoding="utf-8"))

    def systems(self, table: int, setting: str) -> dict[str, dict[str, dict[str, float]]]:
        return self._tables.get(str(table), {"systems": {}})["systems"].get(setting, {})

    def number(self, table: int, setting: str, system: str, emotion: str, key: str) -> float:
        return self.systems(table, setting).get(system, {}).get(emotion, {}).get(key, float("nan"))


Number = Callable[[str, str, str, Column], str]  # system, setting, emotion, column → cell


def shown(value: float) -> str:
    """A number of a table, with a dash where there is none."""
    return f"{value:.3f}" if isfinite(value) else "–"


def _with_paper(results: Results, paper: PaperNumbers, table: int) -> Number:
    """Our number, and the paper's in brackets where it has one for a system of that name."""

    def cell(system: str, setting: str, emotion: str, column: Column) -> str:
        ours = shown(results.number(system, setting, emotion, column))
        theirs = paper.number(table, setting, system, emotion, column.key) if column.official else float("nan")
        return f"{ours} ({shown(theirs)})" if isfinite(theirs) else ours

    return cell


def _of_paper(paper: PaperNumbers, table: int) -> Number:
    return lambda system, setting, emotion, column: shown(paper.number(table, setting, system, emotion, column.key))


def _by_emotion(
    title: str, settings: Sequence[str], systems: Sequence[str], columns: Sequence[Column], cell: Number
) -> Table:
    """Rows: emotions and their average, per setting; column groups: systems (Tables 1, 2, 3, 9, 10)."""
    both = len(settings) > 1
    lead = ("Setting", "Emotions") if both else ("Emotions",)
    rows = []
    for setting in settings:
        for emotion in (*EMOTIONS, AVERAGE):
            name = "Avg." if emotion == AVERAGE else emotion.capitalize()
            first = (_SETTING_WORDS[setting], name) if both else (name,)
            rows.append((*first, *(cell(system, setting, emotion, c) for system in systems for c in columns)))
    return Table(
        title=title,
        header=(*lead, *(c.label for _ in systems for c in columns)),
        rows=tuple(rows),
        groups=(*(("", 1) for _ in lead), *((system, len(columns)) for system in systems)),
    )


def _averages(
    title: str,
    first: str,
    rows: Sequence[tuple[str, str, str]],  # setting, system, what the row is called
    columns: Sequence[Column],
    cell: Number,
) -> Table:
    """Rows: averages of a system in a setting (Tables 5 and 6)."""
    return Table(
        title=title,
        header=("Setting", first, *(c.label for c in columns)),
        rows=tuple(
            (_SETTING_WORDS[setting], name, *(cell(system, setting, AVERAGE, c) for c in columns))
            for setting, system, name in rows
        ),
    )


_PAPERS_COLUMNS = tuple(
    Column(key=key, label=label, official=True) for key, label in zip(PAPER_COLUMNS, _PAPER_LABELS, strict=True)
)


def all_tables(results: Results, dataset: str) -> Iterator[Table]:
    """Every table the results allow, those of MEAD and RAVDESS followed by the paper's own. A bracket holds the
    paper's number for a system of the same name; measures of stand-in networks are labelled and never stand beside the
    paper's."""
    paper, columns = PaperNumbers(), results.columns()
    for setting in results.settings():
        number = _BY_EMOTION.get((dataset, setting), _NOT_THE_PAPERS)
        systems, of = results.systems(setting), f"({dataset.upper()}, {setting}-identity)"
        title = f"Table {number} {of}" if number else f"By emotion {of}"
        if columns:  # networks were asked
            yield _by_emotion(title, [setting], systems, columns, _with_paper(results, paper, number))
        if number:
            yield _paper_by_emotion(paper, number, [setting])
    if dataset == "mead":
        yield from _mead_tables(results, paper, columns)
    everything = mesh_columns()
    rows = [(setting, system, system) for setting in results.settings() for system in results.systems(setting)]
    yield _averages(
        "Lips and picture, by the embedded face mesh", "Methods", rows, everything, _with_paper(results, paper, 5)
    )


def _mead_tables(results: Results, paper: PaperNumbers, columns: Sequence[Column]) -> Iterator[Table]:
    settings, systems = results.settings(), results.systems()
    yield _by_emotion("Table 3 (MEAD)", settings, systems, columns, _with_paper(results, paper, 3))
    yield _paper_by_emotion(paper, 3, ["intra", "cross"])
    if "cross" in settings:
        rows = [("cross", system, system) for system in results.systems("cross")]
        yield _averages("Table 5 (MEAD)", "Methods", rows, columns, _with_paper(results, paper, 5))
        yield _paper_averages(paper, 5, "Methods")
    rows = [
        (setting, system, f"{system.rpartition('@')[2]} ({system.rpartition('@')[0]})")
        for setting in settings
        for system in sorted(results.systems(setting), key=_window)
        if _window(system)
    ]
    if rows:
        first = "Number of predicted frames"
        yield _averages("Table 6 (MEAD)", first, rows, columns, _with_paper(results, paper, 6))
        yield _paper_averages(paper, 6, first)


def _window(system: str) -> int:
    """20 for ``NED+EAT@20``; 0 for a system without a window in its name."""
    size = system.rpartition("@")[2]
    return int(size) if "@" in system and size.isdecimal() else 0


def _paper_by_emotion(paper: PaperNumbers, number: int, settings: Sequence[str]) -> Table:
    systems = list(paper.systems(number, settings[0]))
    return _by_emotion(
        f"Table {number} as the paper printed it", settings, systems, _PAPERS_COLUMNS, _of_paper(paper, number)
    )


def _paper_averages(paper: PaperNumbers, number: int, first: str) -> Table:
    rows = [
        (setting, system, system.rpartition("@")[2] if "@" in system else system)
        for setting in ("intra", "cross")
        for system in paper.systems(number, setting)
    ]
    return _averages(f"Table {number} as the paper printed it", first, rows, _PAPERS_COLUMNS, _of_paper(paper, number))
