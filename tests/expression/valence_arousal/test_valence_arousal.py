"""The plane of valence and arousal: emotions at their places, steady growth along rays, smooth in between."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_up_track import MadeUpTrack, talking_face, textured_frames
from safetensors.numpy import save_file

from thfem_core.errors import InputError, WeightsError
from thfem_core.expression.editor import editors
from thfem_core.expression.mesh.presets import preset_units
from thfem_core.expression.request import EMOTIONS, ExpressionRequest
from thfem_core.expression.valence_arousal.emotion_map import FARTHEST, PLACES, load_map, make_map
from thfem_core.media.array_video import ArrayVideo
from training.build_emotion_map import learn_units

CPU = torch.device("cpu")
PART = st.floats(-1, 1)


def test_an_emotion_stands_at_its_place():
    plane = load_map()
    for emotion, place in PLACES.items():
        assert plane.emotions_at(*place) == pytest.approx({emotion: 1.0})
        np.testing.assert_allclose(plane.units_at(*place), plane.units[plane.names.index(emotion)], atol=1e-12)


def test_the_middle_is_neutral():
    assert not load_map().units_at(0.0, 0.0).any()


@pytest.mark.parametrize("emotion", PLACES)
def test_an_emotion_grows_in_proportion_along_its_ray(emotion):
    plane, place = load_map(), np.array(PLACES[emotion])
    shown = np.array([plane.units_at(*(part * place)) for part in (0.25, 0.5, 1.0)])
    np.testing.assert_allclose(shown, np.outer([0.25, 0.5, 1.0], shown[-1]), atol=1e-12)


@given(valence=PART, arousal=PART, step=st.floats(-1e-3, 1e-3))
def test_neighbouring_places_look_alike(valence, arousal, step):
    plane = load_map()
    here, there = plane.units_at(valence, arousal), plane.units_at(valence + step, arousal + step)
    # near the middle a small step turns far, but little shows there; 20 is the steepest slope, measured on a grid
    assert np.abs(here - there).max() <= 20 * abs(step) + 1e-12


@given(valence=PART, arousal=PART)
def test_weights_are_bounded_and_of_two_neighbours(valence, arousal):
    weights = load_map().weights(valence, arousal)
    assert (weights >= 0).all()
    assert (weights > 0).sum() <= 2
    assert weights.sum() <= FARTHEST + 1e-9


def test_without_clips_the_presets_stand():
    plane = make_map({})
    np.testing.assert_array_equal(plane.units[plane.names.index("sad")], preset_units("sad"))


def test_a_person_is_learnt_from_labelled_clips():
    rest, habit = np.zeros(len(preset_units("happy"))), preset_units("happy").copy()
    habit[2] += 0.5  # this person raises the outer brows with every smile
    units = learn_units({"neutral": [rest], "happy": [0.5 * habit] * 20})
    assert 0.1 < units["happy"][2] - preset_units("happy")[2] < 0.5
    np.testing.assert_array_equal(units["angry"], preset_units("angry"))


def edited(**options):
    editor = editors.create("valence-arousal", options)
    video = ArrayVideo(np.stack([frame.pixels for frame in textured_frames(4)]), Fraction(25))
    request = ExpressionRequest(emotion="neutral")
    track = MadeUpTrack(talking_face(4))
    frames = editor.edit(video.frames(), [track], request, frame_rate=Fraction(25), device=CPU)
    return np.stack([frame.rgb() for frame in frames])


def test_places_look_different():
    pictures = [edited(valence=valence, arousal=arousal) for valence, arousal in ((0.8, 0.4), (-0.7, -0.4))]
    assert (pictures[0] != pictures[1]).any()


def test_the_middle_is_the_mesh_editors_neutral():
    mesh = editors.create("mesh")
    video = ArrayVideo(np.stack([frame.pixels for frame in textured_frames(4)]), Fraction(25))
    frames = mesh.edit(
        video.frames(),
        [MadeUpTrack(talking_face(4))],
        ExpressionRequest(emotion="neutral"),
        frame_rate=Fraction(25),
        device=CPU,
    )
    np.testing.assert_array_equal(edited(valence=0.0), np.stack([frame.rgb() for frame in frames]))


def test_values_off_the_plane_are_refused():
    with pytest.raises(InputError, match="valence is 2; give a value between -1 and 1"):
        editors.create("valence-arousal", {"valence": 2.0})


def test_another_file_is_no_map(tmp_path: Path):
    save_file({"happy": np.zeros(3, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="is no map of emotions"):
        load_map(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"there is no map .*build_emotion_map"):
        load_map(tmp_path / "none.safetensors")


def test_every_emotion_but_neutral_has_a_place():
    assert set(PLACES) == set(EMOTIONS) - {"neutral"}
