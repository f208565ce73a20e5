"""Requests: what is accepted, and the one line that says what to do when it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thfem_core.errors import InputError
from thfem_core.expression.editor import editors
from thfem_core.expression.request import ExpressionRequest, RegionStrengths, StrengthCurve
from thfem_core.expression.sliders import ExpressionSliders


def test_a_request_asks_for_something() -> None:
    with pytest.raises(InputError, match="an emotion, a reference clip or sliders"):
        ExpressionRequest()
    assert ExpressionRequest(sliders=ExpressionSliders(smile=0.5)).emotion is None


def test_unknown_emotion_lists_the_seven() -> None:
    with pytest.raises(InputError, match=r"'joy'.*neutral, angry, disgusted, fear, happy, sad, surprised"):
        ExpressionRequest(emotion="joy")


@pytest.mark.parametrize("value", [-0.1, 1.6, float("nan")])
def test_strength_out_of_range(value: float) -> None:
    with pytest.raises(InputError, match="between 0"):
        ExpressionRequest(emotion="happy", strength=value)
    with pytest.raises(InputError, match="cheeks strength"):
        RegionStrengths(cheeks=value)


def test_unknown_editor_lists_the_known() -> None:
    with pytest.raises(InputError, match=r"'nod'.*mesh, frames"):
        editors.create("nod")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.5", "seconds:factor"),
        ("a:1", "seconds:factor"),
        ("2:1, 1:0", "must rise"),
        ("", "empty"),
        ("0:9", "between"),
    ],
)
def test_curve_errors(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        StrengthCurve.parse(text)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1.5)), min_size=1, max_size=6, unique_by=lambda p: p[0]))
def test_curve_meets_its_points_and_stays_within_them(points: list[tuple[float, float]]) -> None:
    points.sort()
    curve = StrengthCurve(tuple(points))
    values = [value for _, value in points]
    for seconds, value in points:
        assert curve.at(seconds) == pytest.approx(value, abs=1e-6)
    for seconds in (-1.0, 3.3, 57.0, 1e6):
        assert min(values) - 1e-6 <= curve.at(seconds) <= max(values) + 1e-6
