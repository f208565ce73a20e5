"""The dense warp carries mesh displacements exactly enough, and touches nothing else."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_up_track import RATE, SIZE, MadeUpTrack, rotation, talking_face, textured_frames

from thfem_core.errors import InputError
from thfem_core.expression.editor import editors
from thfem_core.expression.mesh.back_end import MeshOptions
from thfem_core.expression.mesh.clip_expression import measure_expression
from thfem_core.expression.mesh.editor import MeshEditor
from thfem_core.expression.mesh.plan import plan_motion
from thfem_core.expression.mesh.render import apply_warp
from thfem_core.expression.mesh.texture import log_ratio, texture_coordinates
from thfem_core.expression.request import ExpressionRequest, ReferenceClip, RegionStrengths, StrengthCurve
from thfem_core.face.mesh.basis import load_basis
from thfem_core.face.mesh.flow import Warp, dense_warp, facing
from thfem_core.face.mesh.surface import face_surface
from thfem_core.face.tracking.edited_landmarks import EditedLandmarks
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.frame import Box


def edit(frames: list, track: MadeUpTrack, request: ExpressionRequest, **config: float) -> list:
    editor = MeshEditor(MeshOptions(**config))
    return list(editor.edit(iter(frames), [track], request, frame_rate=RATE, device=torch.device("cpu")))


def test_flow_undoes_the_displacement_at_visible_landmarks() -> None:
    landmarks = talking_face(1)
    source = measure_expression(MadeUpTrack(landmarks))
    assert source is not None
    moved = plan_motion(ExpressionRequest(emotion="happy"), source, None).displacements(landmarks, np.ones(1))[0, :, :2]
    surface = face_surface()
    warp = dense_warp(surface, landmarks[0], moved, None, cell=1.2, frame_size=(SIZE, SIZE))
    assert warp is not None
    height, width = warp.alpha.shape
    points = (landmarks[0, :468, :2] + moved[:468] - warp.box[:2]) * [width / warp.box.width, height / warp.box.height]
    x, y = np.rint(points - 0.5).astype(int).T
    error = np.linalg.norm(warp.flow[y, x] + moved[:468], axis=1)
    # Fast-changing fields (lid lines) are smoothed over a cell or two; everything else follows closely.
    assert np.median(error) < 0.1
    assert np.quantile(error, 0.95) < 0.9
    assert np.abs(moved).max() > 5


@given(
    corner=st.tuples(st.integers(-30, 60), st.integers(-30, 60)),
    size=st.tuples(st.integers(3, 70), st.integers(3, 70)),
    cells=st.tuples(st.integers(2, 40), st.integers(2, 40)),
    seed=st.integers(0, 9),
)
def test_warps_that_reach_their_borders_change_their_box_only(
    corner: tuple[int, int], size: tuple[int, int], cells: tuple[int, int], seed: int
) -> None:
    """Beside something in front of a face, or at the edge of the frame, a warp may not have faded out at its border."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (64, 64, 3), np.uint8)
    frame = ArrayFrame(index=0, time=Fraction(0), pixels=pixels)
    box = Box(*corner, corner[0] + size[0], corner[1] + size[1])
    flow = rng.uniform(-3, 3, (*cells, 2)).astype(np.float32)
    gain = rng.uniform(-0.2, 0.2, cells).astype(np.float32)
    warped = apply_warp(frame, Warp(box=box, flow=flow, gain=gain, alpha=np.ones(cells, np.float32))).rgb()
    inside = np.zeros((64, 64), bool)
    inside[max(0, box.y0) : max(0, box.y1), max(0, box.x0) : max(0, box.x1)] = True
    np.testing.assert_array_equal(warped[~inside], pixels[~inside])
    assert inside.sum() < 30 or (warped[inside] != pixels[inside]).any()


def test_nothing_moves_without_displacement() -> None:
    landmarks = talking_face(1)[0]
    warp = dense_warp(face_surface(), landmarks, np.zeros((478, 2)), None, cell=2, frame_size=(SIZE, SIZE))
    assert warp is not None
    assert not warp.alpha.any()


def test_landmarks_of_either_precision_move_alike() -> None:
    landmarks, moved = talking_face(1)[0], np.zeros((478, 2))
    moved[:, 1] = 3.0
    single, double = (
        dense_warp(face_surface(), landmarks.astype(kind), moved.astype(kind), None, cell=2, frame_size=(SIZE, SIZE))
        for kind in (np.float32, np.float64)
    )
    assert single is not None and double is not None
    assert np.abs(single.flow - double.flow).max() < 1e-3  # pixels


@pytest.mark.parametrize("emotion", ["happy", "surprised", "angry"])
def test_pixels_outside_the_face_keep_their_bits(emotion: str) -> None:
    frames = textured_frames(4)
    landmarks = talking_face(4)
    out = edit(frames, MadeUpTrack(landmarks), ExpressionRequest(emotion=emotion, strength=1.5))
    centre = landmarks[:, :468, :2].mean(axis=1)
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    for before, after, points, (cx, cy) in zip(frames, out, landmarks, centre, strict=True):
        reach = 1.5 * np.linalg.norm(points[:468, :2] - [cx, cy], axis=1).max()
        outside = np.hypot(x - cx, y - cy) > reach
        assert outside.any()
        np.testing.assert_array_equal(after.pixels[outside], before.pixels[outside])
        assert (after.pixels != before.pixels).any()
        assert (after.index, after.time) == (before.index, before.time)


def test_irises_do_not_move_or_stretch() -> None:
    landmarks = talking_face(1, angle=0)
    source = measure_expression(MadeUpTrack(landmarks))
    assert source is not None
    plan = plan_motion(ExpressionRequest(emotion="surprised"), source, None)
    moved = plan.displacements(landmarks, np.ones(1))[0, :, :2]
    warp = dense_warp(face_surface(), landmarks[0], moved, None, cell=0.5, frame_size=(SIZE, SIZE))
    assert warp is not None
    height, width = warp.alpha.shape
    middle = landmarks[0, [33, 133], :2].mean(axis=0)
    x, y = ((middle - warp.box[:2]) * [width / warp.box.width, height / warp.box.height]).astype(int)
    lid = np.abs(moved[[159, 386]]).max()
    assert lid > 1.0
    # what the flow's blur carries over from the lids, at their border, is a share of how far they move: 6.5 % was seen
    assert np.abs(warp.flow[y - 2 : y + 3, x - 8 : x + 9]).max() < 0.08 * lid


@pytest.mark.parametrize("case", ["strength", "curve", "absent"])
def test_no_request_means_the_very_same_frames(case: str) -> None:
    frames = textured_frames(3)
    track = MadeUpTrack(talking_face(3), first_frame=50 if case == "absent" else 0)
    request = ExpressionRequest(
        emotion="happy",
        strength=0.0 if case == "strength" else 1.0,
        curve=StrengthCurve(((0.0, 0.0),)) if case == "curve" else StrengthCurve(),
    )
    assert all(a is b for a, b in zip(edit(frames, track, request), frames, strict=True))


def test_block_size_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, track = textured_frames(9), MadeUpTrack(talking_face(9))
    request = ExpressionRequest(emotion="sad")
    whole = edit(frames, track, request)
    monkeypatch.setattr("thfem_core.expression.mesh.editor.BLOCK", 2)
    chunked = edit(frames, track, request)
    for a, b in zip(whole, chunked, strict=True):
        np.testing.assert_array_equal(a.pixels, b.pixels)


def test_strength_follows_the_curve() -> None:
    frames, track = textured_frames(11), MadeUpTrack(np.repeat(talking_face(1), 11, axis=0))
    request = ExpressionRequest(emotion="happy", curve=StrengthCurve.parse("0:0, 0.4:1"))
    change = [
        float(np.abs(a.pixels.astype(int) - b.pixels).mean())
        for a, b in zip(edit(frames, track, request), frames, strict=True)
    ]
    assert change[0] == 0
    assert change[2] < change[5] < change[10]


def test_a_face_at_the_border_or_outside_does_not_fail() -> None:
    frames = textured_frames(2)
    for shift in ([-130, 0, 0], [0, 140, 0], [400, 400, 0]):
        edit(frames, MadeUpTrack(talking_face(2) + np.array(shift, np.float32)), ExpressionRequest(emotion="happy"))


def test_the_far_side_of_a_turned_head_is_not_drawn() -> None:
    turned = load_basis().canonical @ rotation(60, 0, 0).T
    surface = face_surface()
    seen = facing(surface.place @ turned, surface.triangles)
    frontal = facing(surface.place @ load_basis().canonical, surface.triangles)
    assert (seen == 0).sum() > 100 > (frontal == 0).sum()


def test_reference_clip_drives_the_smile() -> None:
    class Clip:
        info = type("Info", (), {"name": "reference.mp4"})()

    frames, track = textured_frames(2), MadeUpTrack(talking_face(2))
    reference = ReferenceClip(video=Clip(), track=MadeUpTrack(talking_face(30, smile=0.9)))
    out = edit(frames, track, ExpressionRequest(reference=reference))
    assert (out[0].pixels != frames[0].pixels).any()
    lost = ReferenceClip(video=Clip(), track=MadeUpTrack(talking_face(3), weight=0.0))
    with pytest.raises(InputError, match=r"reference\.mp4"):
        edit(frames, track, ExpressionRequest(reference=lost))


def test_brightness_ratios_stay_on_the_skin() -> None:
    surface = face_surface()
    ratio = log_ratio({"angry": 1.0})
    assert ratio.shape == (len(surface.canonical),)
    assert not ratio[~surface.skin].any()
    assert 0.05 < np.abs(ratio).max() < 0.5
    assert not log_ratio({"neutral": 1.0}).any()
    inside = texture_coordinates(surface.canonical[surface.skin])
    assert inside.min() > 0
    assert inside.max() < 1


def test_config_errors_name_the_value() -> None:
    with pytest.raises(InputError, match="texture is 3"):
        MeshOptions(texture=3)
    assert editors.names()[0] == "mesh"
    assert isinstance(editors.create("mesh"), MeshEditor)


def test_region_strengths_reach_the_folds_of_their_region_only() -> None:
    y = face_surface().canonical[:, 1]
    full = log_ratio({"angry": 1.0})
    np.testing.assert_allclose(log_ratio({"angry": 1.0}, RegionStrengths()), full, atol=1e-6)
    no_brows = log_ratio({"angry": 1.0}, RegionStrengths(brows=0))
    assert not no_brows[y < -16].any()
    assert np.abs(full[y < -16]).max() > 0.05
    np.testing.assert_allclose(no_brows[y > 0], full[y > 0], atol=1e-6)


def test_landmarks_are_handed_on_where_the_edit_puts_them() -> None:
    landmarks = talking_face(3)
    track = MadeUpTrack(landmarks)
    request = ExpressionRequest(emotion="happy")
    frames = iter(textured_frames(3))
    edited = EditedLandmarks()
    editor = MeshEditor(MeshOptions(spectacles="no"))
    cpu = torch.device("cpu")
    for frame in editor.edit_with_landmarks(frames, [track], request, frame_rate=RATE, device=cpu, edited=edited):
        source = measure_expression(track)
        assert source is not None
        moved = plan_motion(request, source, None).displacements(landmarks[frame.index][None], np.ones(1))[0]
        np.testing.assert_allclose(edited.take(track.track_id, frame.index), landmarks[frame.index] + moved, atol=1e-4)
