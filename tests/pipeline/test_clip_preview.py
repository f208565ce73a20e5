"""Frames of a clip, edited one at a time."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from thfem_core.errors import InputError
from thfem_core.expression.request import ExpressionRequest, StrengthCurve
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.pipeline import EditConfig, edit, find_faces
from thfem_core.pipeline.contact_sheet import contact_sheet, sheet_configs
from thfem_core.pipeline.preview import ClipPreview

CPU = torch.device("cpu")
FRAMES = (0, 7, 30)


@pytest.fixture(scope="module")
def clip(demo_clip: Path) -> FileVideo:
    return FileVideo(demo_clip, duration=Fraction(40, 25))


@pytest.fixture(scope="module")
def tracks(clip: FileVideo):
    return find_faces(clip, device=CPU)


def config(emotion: str = "surprised", **parts) -> EditConfig:
    curve = StrengthCurve.parse("0:0.6, 1.4:1")
    return EditConfig(request=ExpressionRequest(emotion=emotion, curve=curve), **parts)


@pytest.mark.parametrize(
    "parts", [{"talking_head": None}, {}, {"drive": "audio"}], ids=["editor alone", "lips", "lips by sound"]
)
def test_equals_the_whole_edit_where_the_faces_of_the_clip_are_known(clip, tracks, parts):
    whole = [frame.rgb() for frame in edit(clip, config(**parts), device=CPU, tracks=tracks).frames()]
    preview = ClipPreview(clip, device=CPU, tracks=tracks)
    for index in FRAMES:
        shown = preview.edit(index, config(**parts))
        difference = np.abs(shown.edited.astype(int) - whole[index])
        # The sound's network is run over other stretches of sound than in the whole edit, hence the small tolerance;
        # what does not depend on it is equal to the bit.
        assert difference.max() <= (0 if parts.get("drive") != "audio" else 255)
        assert difference.mean() <= (0 if parts.get("drive") != "audio" else 0.05)
        assert np.abs(shown.edited.astype(int) - shown.source).mean() > 0.5
        assert len(shown.faces) == 1


def test_is_close_to_the_whole_edit_where_only_the_frames_around_are_tracked(clip, tracks):
    whole = [frame.rgb() for frame in edit(clip, config(talking_head=None), device=CPU, tracks=tracks).frames()]
    preview = ClipPreview(clip, device=CPU)
    for index in FRAMES:
        shown = preview.edit(index, config(talking_head=None))
        changed = np.abs(whole[index].astype(int) - shown.source).mean()
        assert np.abs(shown.edited.astype(int) - whole[index]).mean() < 0.3 * changed


def test_what_is_in_front_of_a_face_stays_there(clip, tracks):
    preview = ClipPreview(clip, device=CPU, tracks=tracks)
    shown = preview.edit(20, config(occlusion="auto"))
    plain = preview.edit(20, config())
    # nothing is in front of this face, but for what the network takes for it
    assert (
        np.abs(shown.edited.astype(int) - plain.edited).mean()
        < 0.3 * np.abs(plain.edited.astype(int) - plain.source).mean()
    )


def test_a_slider_does_not_decode_or_track_again(clip, tracks, monkeypatch):
    preview = ClipPreview(clip, device=CPU, tracks=tracks)
    preview.edit(20, config())
    monkeypatch.setattr("thfem_core.media.random_access.decode_pictures", None)
    monkeypatch.setattr("thfem_core.pipeline.moments.find_faces", None)
    start = time.process_time()
    shown = preview.edit(20, config("happy"))
    assert time.process_time() - start < 1.0  # 0.1 s of CPU time were measured at 720p
    assert (shown.index, shown.time) == (20, Fraction(20, 25))


def test_moments(clip):
    preview = ClipPreview(clip, device=CPU)
    assert preview.frame_count == 40
    assert [preview.frame_at(seconds) for seconds in (-1.0, 0.0, 0.039, 0.04, 1.0, 99.0)] == [0, 0, 0, 1, 25, 39]
    with pytest.raises(InputError, match="no frame 40; give 0 to 39"):
        preview.edit(40, config())


def test_a_frame_without_a_face_comes_back_as_it_is():
    gray = ArrayVideo(np.full((5, 64, 96, 3), 128, np.uint8), Fraction(25))
    shown = ClipPreview(gray, device=CPU).edit(2, config())
    assert shown.faces == () and np.array_equal(shown.source, shown.edited)


def test_one_picture_is_a_clip_too(clip):
    picture = next(clip.frames()).rgb()
    shown = ClipPreview(ArrayVideo(picture[None], Fraction(25)), device=CPU).edit(0, config(talking_head=None))
    assert len(shown.faces) == 1 and not np.array_equal(shown.source, shown.edited)


def test_tracks_of_another_clip_are_refused(demo_clip, tracks):
    with pytest.raises(InputError, match="made on 40 frames, but this clip has 20"):
        ClipPreview(FileVideo(demo_clip, duration=Fraction(20, 25)), device=CPU, tracks=tracks)


def test_frames_of_another_system_have_no_preview(clip, tracks, demo_clip):
    frames = EditConfig(
        request=ExpressionRequest(emotion="happy"), editor="frames", editor_options={"edited_frames": demo_clip}
    )
    with pytest.raises(InputError, match="frames of another system"):
        ClipPreview(clip, device=CPU, tracks=tracks).edit(0, frames)


def test_contact_sheets(clip, tracks):
    preview = ClipPreview(clip, device=CPU, tracks=tracks)
    emotions = sheet_configs(config(), "emotions")
    assert list(emotions)[:2] == ["neutral", "angry"] and len(emotions) == 7
    strengths = sheet_configs(config(), "strengths")
    assert list(strengths) == ["0.3", "0.6", "0.9", "1.2", "1.5"]
    sheet = contact_sheet(preview, 20, strengths)
    assert sheet.dtype == np.uint8 and sheet.shape[1] > sheet.shape[0] > 300
    tiles = [tile for row in np.vsplit(sheet, 2) for tile in np.hsplit(row, 3)]
    change = [np.abs(tile[40:].astype(int) - tiles[0][40:]).mean() for tile in tiles]
    assert change == sorted(change) and change[1] > 0
    with pytest.raises(InputError, match="needs an expression"):
        sheet_configs(EditConfig(), "strengths")
