"""Finished jobs as the numbers of the paper's tables: per system, setting and emotion, and on average."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

from thfem_core.errors import InputError
from thfem_core.expression.request import EMOTIONS
from thfem_core.metrics.catalogue import LANDMARK_MEASURES
from thfem_core.metrics.frechet import FeatureSpread, frechet_distance

from ..stored import reading
from .jobs import read_spreads

AVERAGE = "average"
# The paper's three, in its order.
PAPER_COLUMNS = ("fad", "lse_d", "csim")
_ARROWS = {"fad": "↓", "lse_d": "↓", "csim": "↑"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of the tables.

    Attributes:
        key: of the paper's three, or of a landmark measure.
        label: with an arrow towards better.
        network: who measured; "" for the face mesh.
        official: whether it compares with the paper.
    """

    key: str
    label: str
    network: str = ""
    official: bool = False


@dataclass(kw_only=True, slots=True)
class _Cell:
    """The clips of one system, setting and emotion. values: (key, network) → one per clip."""

    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    spreads: dict[tuple[str, str], FeatureSpread] = field(default_factory=dict)
    clips: int = 0

    def number(self, column: Column) -> float:
        if column.key == "fad":
            output, real = (self.spreads.get((column.network, side)) for side in ("output", "reference"))
            if output is None or real is None or min(output.count, real.count) < 2:
                return float("nan")
            return frechet_distance(output, real)
        found = self.values.get((column.key, column.network), [])
        return sum(found) / len(found) if found else float("nan")


def no_result(out: Path) -> InputError:
    """What to say of a folder in which nothing is finished."""
    return InputError(f"{out} holds no finished result; run `python -m training.evaluate run` first")


class Results:
    """All finished jobs under a folder. FAD is taken between all frames of an emotion's outputs and all frames of their
    references; LSE-D and CSIM are means over clips. The average is the mean over the seven emotions, as in the paper.
    """

    def __init__(self, out: Path) -> None:
        self._cells: dict[tuple[str, str, str], _Cell] = {}
        self._networks: dict[str, set[tuple[str, bool]]] = {key: set() for key in PAPER_COLUMNS}
        for path in sorted(out.glob("*/*/*.json")):
            with reading(path, remedy="delete it and run `python -m training.evaluate run` again"):
                self._add(path)
        if not self._cells:
            raise no_result(out)

    def _add(self, path: Path) -> None:
        facts = json.loads(path.read_text(encoding="utf-8"))
        cell = self._cells.setdefault((facts["system"], facts["setting"], facts["emotion"]), _Cell())
        cell.clips += 1
        for family in facts["families"]:
            for value in family["values"]:
                network = value["network"] or ""
                if value["value"] is not None:
                    cell.values.setdefault((value["key"], network), []).append(value["value"])
                if value["key"] in ("lse_d", "csim"):
                    self._networks[value["key"]].add((network, bool(family["official"])))
                if value["key"] == "identity":
                    self._networks["fad"].add((network, bool(family["official"])))
        for key, spread in read_spreads(path.with_suffix(".npz")).items():
            known = cell.spreads.get(key)
            cell.spreads[key] = spread if known is None else known.merged(spread)

    def systems(self, setting: str | None = None) -> list[str]:
        """Names in the order of the alphabet, shorter combinations before longer ones."""
        names = {system for system, where, _ in self._cells if setting is None or where == setting}
        return sorted(names, key=lambda name: (name.partition("+")[0], name))

    def settings(self) -> list[str]:
        return [s for s in ("intra", "cross") if any(setting == s for _, setting, _ in self._cells)]

    def clips(self, system: str, setting: str) -> int:
        return sum(cell.clips for (s, w, _), cell in self._cells.items() if (s, w) == (system, setting))

    def columns(self) -> tuple[Column, ...]:
        """The paper's three columns where official networks gave them; stand-ins, named as such, only where no official
        network measured anything, so that the two are never in one table."""
        official = any(flag for found in self._networks.values() for _, flag in found)
        columns = []
        for key in PAPER_COLUMNS:
            found = sorted(network for network, flag in self._networks[key] if flag == official)
            if found:
                name = {"fad": "FAD" if official else "FD", "lse_d": "LSE-D", "csim": "CSIM"}[key]
                label = name + _ARROWS[key] if official else f"{name} [{found[0]}]{_ARROWS[key]}"
                columns.append(Column(key=key, label=label, network=found[0], official=official))
        return tuple(columns)

    def number(self, system: str, setting: str, emotion: str, column: Column) -> float:
        """NaN where there is no result; emotion may be :data:`AVERAGE`."""
        if emotion == AVERAGE:
            numbers = [self.number(system, setting, one, column) for one in EMOTIONS]
            return mean_of(number for number in numbers if isfinite(number))
        cell = self._cells.get((system, setting, emotion))
        return float("nan") if cell is None else cell.number(column)


def mesh_columns() -> tuple[Column, ...]:
    """The landmark measures, for a table of everything the embedded mesh sees."""
    arrows = {"higher": "↑", "lower": "↓", "zero": "→0"}
    return tuple(Column(key=m.key, label=f"{m.label}{arrows[m.better]}") for m in LANDMARK_MEASURES)


def mean_of(values: Iterable[float]) -> float:
    """The mean; NaN of nothing."""
    numbers: Sequence[float] = list(values)
    return sum(numbers) / len(numbers) if numbers else float("nan")
