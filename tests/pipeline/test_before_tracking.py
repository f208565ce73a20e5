"""What is wrong or missing is found before the first pass over a clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_talking_head import FakeHead

from thfem_core.errors import InputError, WeightsError
from thfem_core.expression.request import ExpressionRequest, ReferenceClip
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.sound import Sound
from thfem_core.pipeline import EditConfig, StillVideo, edit, find_faces

CPU = torch.device("cpu")
HAPPY = ExpressionRequest(emotion="happy")


class UnreadVideo(ArrayVideo):
    """A silent clip that must not be decoded."""

    def __init__(self) -> None:
        super().__init__(np.full((3, 40, 48, 3), 77, np.uint8), Fraction(25), name="unread")

    def frames(self, *, warn=None):
        raise AssertionError("the clip is decoded")


@pytest.fixture
def no_models(tmp_path, monkeypatch) -> None:
    for name in ("XDG_CACHE_HOME", "TORCH_HOME", "THFEM_MODELS"):
        monkeypatch.setenv(name, str(tmp_path))


def test_missing_model_files(no_models):
    with pytest.raises(WeightsError, match=r"eat\.safetensors or .* is not on this machine"):
        edit(UnreadVideo(), EditConfig(request=HAPPY, talking_head="eat"), device=CPU)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"editor": "nod"}, "unknown expression editor 'nod'; choose one of: mesh"),
        ({"talking_head": "nod"}, "unknown talking head 'nod'; choose one of: mouth"),
        ({"editor_options": {"gain": 1}}, "the expression editor mesh has no option gain; it has: texture, spectacles"),
        ({"editor_options": {"texture": 9.0}}, "texture is 9; give a value between 0 and 2"),
        ({"editor": "frames"}, "edited-frames is missing; give it"),
        ({"drive": "thought"}, "drive is 'thought'"),
        ({"editor": "ned", "editor_options": {"conditions": Path("none/here")}}, "conditions: there is no none.here"),
        ({"editor": "ned", "editor_options": {"renderer": Path("net.pth")}}, "renderer: there is no net.pth"),
        ({"talking_head": "eat", "talking_head_options": {"features": Path("f.npy")}}, "features: there is no f.npy"),
    ],
)
def test_unknown_names_and_values(config, words):
    with pytest.raises(InputError, match=words):
        EditConfig(request=HAPPY, **config)


def test_options_of_what_is_loaded_already_are_a_mistake_of_the_author():
    with pytest.raises(ValueError, match="given by name"):
        EditConfig(talking_head=FakeHead(), talking_head_options={"amount": 1.0})


def test_unusable_sound():
    with pytest.raises(InputError, match="no sound to move the lips"):
        edit(UnreadVideo(), EditConfig(request=HAPPY, talking_head=FakeHead(), drive="audio"), device=CPU)
    with pytest.raises(InputError, match="cannot be driven by 'original'"):
        config = EditConfig(talking_head=FakeHead(drives=("audio",)), drive="original")
        edit(UnreadVideo(), config, device=CPU)


def test_an_unusable_talking_head_before_the_reference_is_tracked(no_models):
    request = ExpressionRequest(reference=ReferenceClip(video=UnreadVideo()))
    with pytest.raises(WeightsError):
        edit(UnreadVideo(), EditConfig(request=request, talking_head="eat"), device=CPU)


def test_tracks_of_a_clip_of_another_size():
    tracks = find_faces(ArrayVideo(np.full((3, 32, 48, 3), 77, np.uint8), Fraction(25)), device=CPU)
    with pytest.raises(InputError, match="made on a clip of 48×32 px, but unread has 48×40"):
        edit(UnreadVideo(), EditConfig(request=HAPPY, talking_head=None), device=CPU, tracks=tracks)


@pytest.mark.parametrize(("count", "words"), [(2, "made on 2 frames, but this clip has more"), (9, "has only 3")])
def test_tracks_of_another_number_of_frames_are_noticed_as_it_runs(count, words):
    tracks = find_faces(ArrayVideo(np.full((count, 40, 48, 3), 77, np.uint8), Fraction(25)), device=CPU)
    clip = ArrayVideo(np.full((3, 40, 48, 3), 77, np.uint8), Fraction(25))
    work = edit(clip, EditConfig(request=HAPPY, talking_head=None), device=CPU, tracks=tracks)
    with pytest.raises(InputError, match=words):
        list(work.frames())


def test_nobody_in_a_portrait_to_speak():
    sound = Sound(np.zeros((1, 800), np.float32), 8000)
    video = StillVideo(np.full((40, 48, 3), 77, np.uint8), sound, Fraction(25))
    with pytest.raises(InputError, match="no face found in picture"):
        edit(video, EditConfig(talking_head=FakeHead()), device=CPU)
