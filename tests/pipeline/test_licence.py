"""``licence="commercial"``: what is left out, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from thfem_core.errors import InputError
from thfem_core.expression.editor import editors
from thfem_core.expression.request import ExpressionRequest, ReferenceClip
from thfem_core.media.array_video import ArrayVideo
from thfem_core.pipeline import EditConfig
from thfem_core.pipeline.licence import permissive, research_models
from thfem_core.talking_head.head import talking_heads

HAPPY = ExpressionRequest(emotion="happy")
CLIP = ArrayVideo(np.zeros((1, 8, 8, 3), np.uint8), Fraction(25))


def test_any_licence_changes_nothing() -> None:
    config = EditConfig(request=HAPPY, occlusion="auto")
    assert permissive(config) == (config, ())


def test_what_is_for_research_only_is_left_out_and_told() -> None:
    config, left = permissive(EditConfig(request=HAPPY, occlusion="auto", licence="commercial"))
    assert config.talking_head is None and config.occlusion == "off"
    assert config.editor_options == {}
    assert len(left) == 2 and all(line.startswith("licence commercial: ") for line in left)
    assert permissive(config)[1] == (), "twice is once"


def test_what_the_user_may_decide_stays() -> None:
    config, _ = permissive(
        EditConfig(
            request=HAPPY,
            editor_options={"spectacles": "yes"},
            talking_head=None,
            occlusion=CLIP,
            licence="commercial",
        )
    )
    assert config.editor_options["spectacles"] == "yes" and config.occlusion is CLIP


def test_a_reference_and_spectacles_are_read_by_rules() -> None:
    config = EditConfig(
        request=ExpressionRequest(reference=ReferenceClip(video=CLIP)),
        editor_options={"spectacles": "auto"},
        talking_head=None,
        occlusion="off",
        licence="commercial",
    )
    assert permissive(config) == (config, ())


def test_liveportrait_alone_is_permissive() -> None:
    config, left = permissive(EditConfig(request=HAPPY, editor="liveportrait", talking_head=None, licence="commercial"))
    assert config.editor == "liveportrait" and config.editor_options == {} and "liveportrait" not in str(left)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"editor_options": {"folds": "mean"}},
            "folds mean reads a file for research only; give light, or",
        ),
        ({"editor": "ned"}, r"the editor ned needs ned"),
        ({"editor": "liveportrait", "editor_options": {"lips": "sound"}}, "lips sound reads a file for research only"),
        ({"request": None}, r"the talking head mouth needs .*, not for commercial use as far as is known"),
    ],
)
def test_what_cannot_be_done_is_refused(changes: dict[str, object], message: str) -> None:
    settings: dict[str, object] = {"request": HAPPY, "licence": "commercial", **changes}
    with pytest.raises(InputError, match=message):
        permissive(EditConfig(**settings))  # type: ignore[arg-type]


def test_an_unknown_licence_is_refused() -> None:
    with pytest.raises(InputError, match="licence is 'free'; give one of: any, commercial"):
        EditConfig(licence="free")  # type: ignore[arg-type]


def test_settings_that_avoid_research_files_exist() -> None:
    for registry in (editors, talking_heads):
        for name in registry:
            back_end = registry.back_end(name)
            options = {option.name: option for option in registry.options(name)}
            for setting, allowed in back_end.permissive.items():
                assert research_models(back_end) and set(allowed) <= set(options[setting].choices)
