"""Commands with damaged inputs, one or two cases each; ``python -m tests.faults`` tries many."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "media")]

from tests.faults.commands import COMMANDS, Materials, make_materials, outcome_of, pairs  # noqa: E402

# building a pair takes 20 s; edits and preparing find faces first
SEEDS = {"edit": (1,), "preview": (1,), "batch": (0,), "prepare": (1,), "metrics": (0, 2)}


@pytest.fixture(scope="module")
def materials(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Materials:
    return make_materials(demo_clip, tmp_path_factory.mktemp("materials"))


@pytest.mark.parametrize("make", [make for make in COMMANDS if make is not pairs], ids=lambda make: make.__name__)
def test_a_damaged_input_is_used_or_refused_in_a_line(make, materials: Materials, tmp_path: Path):
    outcomes = [outcome_of(make, materials, seed, tmp_path) for seed in SEEDS.get(make.__name__, range(6))]
    assert [outcome for outcome in outcomes if outcome.fault] == []
