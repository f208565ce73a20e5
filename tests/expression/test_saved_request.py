"""Expressions by name, and saved to files."""

from __future__ import annotations

from pathlib import Path

import pytest

from thfem_core.errors import InputError
from thfem_core.expression.preset_file import shipped_presets
from thfem_core.expression.request import (
    EMOTIONS,
    ExpressionRequest,
    ReferenceClip,
    RegionStrengths,
    StrengthCurve,
)
from thfem_core.expression.saved_request import (
    adjusted,
    expression_parts,
    expression_presets,
    load_expression,
    save_expression,
)
from thfem_core.expression.sliders import ExpressionSliders


def test_about_a_dozen_come_with_the_package_and_all_can_be_asked_for() -> None:
    assert len(expression_presets()) >= 12
    assert not set(expression_presets()) & set(EMOTIONS)
    for name in shipped_presets():
        request = load_expression(name)
        assert request.strength > 0
    assert load_expression("warm-smile").emotion == "happy"
    assert load_expression("smirk").emotion is None


def test_saved_and_loaded(tmp_path: Path) -> None:
    request = ExpressionRequest(
        emotion="sad",
        strength=0.7,
        regions=RegionStrengths(brows=1.2, mouth=0.0),
        curve=StrengthCurve(((0.0, 0.0), (1.5, 1.0))),
        sliders=ExpressionSliders(smile=0.5),
    )
    save_expression(request, tmp_path / "mine.json")
    assert load_expression(tmp_path / "mine.json") == request
    assert expression_parts(ExpressionRequest(emotion="fear")) == {"emotion": "fear"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "should look like"),
        ("{}", "should look like"),
        ('{"emotion": 3}', "should look like"),
        ('{"strength": 0.5}', "names neither an emotion nor sliders"),
        ('{"emotion": "glad"}', r"bad\.json: unknown emotion"),
        ('{"mood": "good"}', "has a part 'mood'"),
        ('{"emotion": "glad"}', "unknown emotion 'glad'"),
        ('{"emotion": "happy", "strength": 9}', "strength is 9"),
        ('{"emotion": "happy", "regions": {"ears": 1}}', "region 'ears'; choose one of: brows"),
        ('{"emotion": "happy", "curve": "soon"}', "curve part 'soon'"),
        ('{"sliders": {"grin": 1}}', "no slider 'grin'"),
        ("happy", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"emotoin": "happy"}', "has a part 'emotoin'; parts are: emotion, strength"),
    ],
)
def test_files_that_are_no_presets(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InputError, match=message):
        load_expression(tmp_path / "bad.json")


def test_what_is_not_there() -> None:
    with pytest.raises(InputError, match=r"no expression preset 'grim'; choose one of:.*warm-smile"):
        load_expression("grim")
    with pytest.raises(InputError, match="cannot be read"):
        load_expression("nowhere.json")


def test_a_reference_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="copies a reference"):
        save_expression(ExpressionRequest(reference=ReferenceClip(video=None)), tmp_path / "x.json")  # type: ignore[arg-type]


def test_a_chosen_expression_can_be_made_more_or_less() -> None:
    chosen = ExpressionRequest(emotion="sad", strength=0.8, sliders=ExpressionSliders(smile=0.5, wink=2))
    less = adjusted(chosen, strength=0.5, regions=RegionStrengths(brows=0.5), sliders=ExpressionSliders(smile=0.1))
    assert less.strength == pytest.approx(0.4) and less.regions.brows == 0.5
    assert less.sliders == ExpressionSliders(smile=0.1, wink=2)
    assert adjusted(chosen, strength=1.5).strength == pytest.approx(1.2)
    assert adjusted(ExpressionRequest(emotion="sad", strength=1.4), strength=1.5).strength == 1.5
    curve = StrengthCurve(((0.0, 0.5),))
    assert adjusted(chosen, curve=curve).curve == curve and adjusted(chosen).curve == chosen.curve
