"""Expression sliders: typed, saved, loaded, and what the mesh editor makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from thfem_core.errors import InputError
from thfem_core.expression.liveportrait.sliders import SLIDER_MOTIONS, slider_offset
from thfem_core.expression.mesh.action_units import ACTION_UNITS
from thfem_core.expression.mesh.slider_units import slider_units
from thfem_core.expression.request import EMOTIONS, ExpressionRequest
from thfem_core.expression.saved_request import save_expression
from thfem_core.expression.sliders import (
    ExpressionSliders,
    load_sliders,
    slider_names,
    slider_presets,
)
from thfem_core.networks.liveportrait.motion_extractor import KEYPOINTS


def test_as_users_type_them() -> None:
    sliders = ExpressionSliders.parse(["smile=0.6", "eyebrow = -5", "smile=0.2"])
    assert sliders == ExpressionSliders(smile=0.2, eyebrow=-5)
    assert ExpressionSliders.parse(["happy", "smile=0.1"]).values == load_sliders("happy").values | {"smile": 0.1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smile", "no slider preset 'smile'.*happy"),
        ("smile=much", "not 'name=number'"),
        ("smile=3", "smile is 3; give a value between -0.3 and 1.3"),
        ("grin=1", "no slider 'grin'; choose one of: smile"),
        ("nowhere.json", "cannot be read"),
    ],
)
def test_errors_say_what_to_do(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ExpressionSliders.parse([text])


def test_saved_and_loaded(tmp_path: Path) -> None:
    sliders = ExpressionSliders(smile=0.5, pupil_x=-3)
    save_expression(ExpressionRequest(sliders=sliders), tmp_path / "mine.json")
    assert ExpressionSliders.parse([str(tmp_path / "mine.json")]) == sliders
    (tmp_path / "mine.json").write_text('{"sliders": {"smile": "much"}}')
    with pytest.raises(InputError, match="should look like"):
        load_sliders(tmp_path / "mine.json")
    (tmp_path / "mine.json").write_text("smile")
    with pytest.raises(InputError, match="not JSON"):
        load_sliders(tmp_path / "mine.json")


def test_presets_of_the_package() -> None:
    assert set(EMOTIONS) - {"neutral"} <= set(slider_presets())
    for name in slider_presets():
        assert load_sliders(name).values


def test_every_slider_moves_keypoints_or_the_head() -> None:
    assert set(slider_names()) == set(SLIDER_MOTIONS)
    assert slider_offset({"smile": 1.0}).expression.shape == (KEYPOINTS, 3)


def test_the_mesh_editor_maps_what_it_can() -> None:
    units = dict(zip(ACTION_UNITS, slider_units(ExpressionSliders(eyebrow=-5, wink=3)), strict=True))
    assert units["browDown"] > 0.5 and sum(map(bool, units.values())) == 1
    assert not slider_units(ExpressionSliders()).any()
    half, whole = (slider_units(ExpressionSliders(smile=value)) for value in (0.5, 1.0))
    np.testing.assert_allclose(2 * half, whole)
    with pytest.raises(InputError, match="cannot show wink; use --editor liveportrait"):
        slider_units(ExpressionSliders(wink=3))
