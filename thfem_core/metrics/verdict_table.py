"""A comparison as text for people, and as plain data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from .feature_pass import MeasuredValue
from .findings import Comparison, Findings
from .measure import ARROWS

MARKS = {"good": "good", "fair": "so-so", "bad": "BAD", "": ""}


def text_table(comparison: Comparison) -> str:
    """A comparison for people: per family of judges an aligned table of arrow, measure, value, the source's own value,
    verdict, ranges and meaning."""
    parts = [headline(comparison)]
    for family in comparison.families:
        parts += ["", family.title, *_aligned([_row(network, value) for network, value in family.values])]
    if comparison.notes:
        parts += ["", *(f"Note: {line}" for line in comparison.notes)]
    return "\n".join(parts)


def headline(comparison: Comparison) -> str:
    """Which clips were compared, in one line."""
    words = f"{comparison.output} against {comparison.source}, {comparison.frames} frames"
    return words + (f", reference {comparison.reference}" if comparison.reference else "")


def label(network: str, value: MeasuredValue) -> str:
    """Name of a measure and who took it, such as ``target emotion (face-api)``."""
    return f"{value.measure.label} ({network})" if network else value.measure.label


def _row(network: str, value: MeasuredValue) -> tuple[str, ...]:
    measure = value.measure
    source = f"source {measure.text(value.source)}" if isfinite(value.source) else ""
    mark = MARKS[measure.verdict(value.value)]
    return (
        ARROWS[measure.better],
        label(network, value),
        measure.text(value.value),
        source,
        mark,
        measure.ranges(),
        measure.meaning,
    )


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def as_data(comparison: Comparison) -> dict[str, Any]:
    """A comparison for programs, as ``--json`` writes it; numbers that could not be taken are None."""
    return {
        "source": comparison.source,
        "output": comparison.output,
        "reference": comparison.reference,
        "target_emotion": comparison.target_emotion,
        "frame_rate": str(comparison.frame_rate),
        "frames": comparison.frames,
        "families": [_family_data(family) for family in comparison.families],
        "notes": list(comparison.notes),
    }


def _family_data(family: Findings) -> dict[str, Any]:
    return {
        "judges": family.title,
        "official": family.official,
        "values": [
            {
                "key": value.measure.key,
                "network": network or None,
                "value": _number(value.value),
                "source": _number(value.source),
                "better": value.measure.better,
                "verdict": value.measure.verdict(value.value) or None,
            }
            for network, value in family.values
        ],
        "sync_curves": {
            title: {
                side: None if score is None else [_number(value) for value in score.curve]
                for side, score in zip(SIDES, pair, strict=True)
            }
            for title, pair in family.sync.items()
        },
    }


SIDES = ("source", "output")


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
