"""What every shipped preset and every kind of reference moves, in keypoints that no network had to read."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
import torch
from liveportrait_material import motion
from made_up_track import RATE, MadeUpTrack, talking_face, textured_frames

from thfem_core.expression.liveportrait.back_end import LivePortraitOptions
from thfem_core.expression.liveportrait.edited_face import EditedFace
from thfem_core.expression.liveportrait.expressions import Driver
from thfem_core.expression.liveportrait.sliders import slider_offset
from thfem_core.expression.request import EMOTIONS, ExpressionRequest, RegionStrengths
from thfem_core.expression.sliders import load_sliders, slider_presets
from thfem_core.networks.liveportrait.keypoints import FaceMotion, stack_motions
from thfem_core.networks.liveportrait.regions import BROWS, EYES, LIP_ROWS, LIPS

COUNT = 14
LANDMARKS, FRAMES, FACES = talking_face(COUNT), textured_frames(COUNT), motion(COUNT, 0.0)
REGIONS = {"brows": BROWS, "eyes": EYES, "mouth": LIPS, "cheeks": ~(BROWS | EYES | LIPS)}
PRESETS = sorted({*slider_presets()})


def moved(request: ExpressionRequest, *, driver: Driver | None = None, **options: object) -> FaceMotion:
    """The faces that are asked for, before corrections."""
    settings = LivePortraitOptions(**options)
    face = EditedFace(MadeUpTrack(LANDMARKS), request, settings, driver=driver, frame_rate=RATE, side=64)
    edits = []
    for number, frame in enumerate(FRAMES):
        edit = face.see(frame, request.strength)
        assert edit is not None
        edit.motion = FACES.rows([number])
        face.push(edit)
        edits.append(edit)
    face.finish()
    return stack_motions([edit.points for edit in edits])


def test_every_emotion_has_a_preset() -> None:
    assert {*EMOTIONS} - {"neutral"} <= {*PRESETS} and len(PRESETS) > 10


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_moves_what_its_sliders_move_and_nothing_else(preset: str) -> None:
    sliders = load_sliders(preset)
    entries = slider_offset(sliders.values).expression != 0
    assert entries.any()
    free = moved(ExpressionRequest(sliders=sliders), lips="free")
    assert torch.equal((free.expression != FACES.expression).any(dim=0), entries)
    kept = moved(ExpressionRequest(sliders=sliders), lips="kept")
    assert torch.equal(kept.expression[:, LIP_ROWS], FACES.expression[:, LIP_ROWS])
    rest = ~LIPS
    assert torch.equal(kept.expression[:, rest], free.expression[:, rest])
    for face in (free, kept):
        assert torch.equal(face.scale, FACES.scale) and torch.equal(face.translation, FACES.translation)


@pytest.mark.parametrize(("preset", "region"), [*product(PRESETS, REGIONS)])
def test_a_preset_stays_within_the_regions_that_are_asked_for(preset: str, region: str) -> None:
    strengths = RegionStrengths(**{name: float(name == region) for name in REGIONS})
    sliders, allowed = load_sliders(preset), REGIONS[region]
    for lips in ("free", "shifted"):
        face = moved(ExpressionRequest(sliders=sliders, regions=strengths), lips=lips)
        assert torch.equal(face.expression[:, ~allowed], FACES.expression[:, ~allowed])
        asked = (slider_offset(sliders.values).expression[allowed] != 0).any()
        assert bool((face.expression[:, allowed] != FACES.expression[:, allowed]).any()) == bool(asked)


@pytest.mark.parametrize("copied", ["expression", "all", "pose", "eyes", "lips"])
@pytest.mark.parametrize("relative", ["relative", "absolute"])
@pytest.mark.parametrize("count", [1, 9])
def test_kept_lips_are_exact_with_every_reference(count: int, relative: str, copied: str) -> None:
    driver = Driver(motion=motion(count, 1.0), frame_rate=Fraction(12))
    request = ExpressionRequest(emotion="happy")  # the reference is given as what was read of it
    for pasting in ("difference", "plain"):
        options = {"lips": "kept", "motion": relative, "copied": copied, "pasting": pasting, "neutralise": 0.4}
        face = moved(request, driver=driver, **options)
        assert torch.equal(face.expression[:, LIP_ROWS], FACES.expression[:, LIP_ROWS])
        assert not torch.equal(face.keypoints(), FACES.keypoints())
