from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from fake_talking_head import FakeHead, WeightTrack, frames_of
from hypothesis import given
from hypothesis import strategies as st

from thfem_core.errors import InputError
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.sound import Sound
from thfem_core.pose.mesh.encoder import MeshPoseEncoder
from thfem_core.talking_head.redraw import GPU_BATCH, effective_drive, prepare_talking_head, redraw_faces
from thfem_core.talking_head.still import StillTrack, still_poses

CPU = torch.device("cpu")
DRIVES = ("audio", "original", "blend")
CLIP = ArrayVideo(np.zeros((30, 8, 8, 3), np.uint8), Fraction(25), sound=Sound(np.ones((1, 9600), np.float32), 8000))


@given(st.sampled_from(DRIVES), st.lists(st.sampled_from(DRIVES), min_size=1, unique=True), st.booleans())
def test_what_moves_the_lips_can_move_them(drive, drives, has_speech):
    try:
        chosen = effective_drive(drive, drives, has_speech=has_speech)
    except InputError as error:
        assert drive not in drives or not has_speech
        assert "choose" in str(error)
        return
    assert chosen in drives
    assert has_speech or chosen != "audio"
    assert chosen == drive or drive == "blend"
    assert effective_drive(chosen, drives, has_speech=has_speech) == chosen


def test_every_face_is_opened_with_its_own_poses():
    tracks = [WeightTrack([1] * 30), WeightTrack([1] * 10, first_frame=5, track_id=1)]
    head = FakeHead()
    known = MeshPoseEncoder().encode(tracks[1])
    talking = prepare_talking_head(CLIP, head, poses=(known,))
    frames = list(
        redraw_faces((frame for frame in frames_of(30)), tracks, talking, frame_rate=Fraction(25), device=CPU)
    )
    assert len(frames) == 30
    assert [clip.track for clip in head.clips] == tracks
    assert head.clips[1].poses is known and head.clips[0].poses is None
    assert talking.report.drawn_frames == 30


def test_a_face_that_cannot_be_drawn_shows_before_the_first_frame():
    class Refusing(FakeHead):
        def open_face(self, clip):
            raise InputError("this face is too small; give a larger one")

    with pytest.raises(InputError, match="too small"):
        redraw_faces(
            (frame for frame in frames_of(3)),
            [WeightTrack([1] * 3)],
            prepare_talking_head(CLIP, Refusing()),
            frame_rate=Fraction(25),
            device=CPU,
        )


def test_windows_come_in_batches_where_there_is_a_gpu():
    """The device is only passed on, so its name is enough."""
    head = FakeHead()
    track = WeightTrack([1] * 90)
    frames = redraw_faces(
        (frame for frame in frames_of(90)),
        [track],
        prepare_talking_head(CLIP, head),
        frame_rate=Fraction(25),
        device=torch.device("cuda"),
    )
    assert len(list(frames)) == 90
    assert head.sessions[0].calls[0] == GPU_BATCH and head.clips[0].device.type == "cuda"


def test_a_still_face_is_the_same_in_every_frame_and_in_no_other():
    face = WeightTrack([0.5])
    still = StillTrack(face=face, stop_frame=4)
    samples = still.samples(-2, 6)
    np.testing.assert_array_equal(samples.weight, [0, 0, 0.5, 0.5, 0.5, 0.5, 0, 0])
    assert np.isnan(samples.landmarks[[0, 1, 6, 7]]).all() and (samples.landmarks[2:6] == 0).all()
    poses = still_poses(MeshPoseEncoder().encode(face), 4)
    pose = poses.read(2, 6)
    assert poses.track.stop_frame == 4 and len(pose.scale) == 4
    assert np.isnan(pose.scale[2:]).all() and np.array_equal(pose.scale[:1], pose.scale[1:2], equal_nan=False)
