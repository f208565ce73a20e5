"""What is in front of a face stays in front, from the mask to the edited clip."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_talking_head import FakeSession
from made_up_track import RATE, SIZE, MadeUpTrack, talking_face, textured_frames

from thfem_core.errors import InputError
from thfem_core.expression.mesh.editor import MeshEditor
from thfem_core.expression.request import ExpressionRequest
from thfem_core.face.occlusion.clip import ClipOcclusion
from thfem_core.face.occlusion.sources import MaskVideo
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.frame import Box, Frame
from thfem_core.pipeline import EditConfig, edit, find_faces, occlusion_masks
from thfem_core.pipeline.occlusion import LookStage, RestoreStage, check_mask
from thfem_core.pipeline.preview import ClipPreview
from thfem_core.pipeline.stages import ExpressionStage
from thfem_core.talking_head.scheduler import DrawnFace, draw_faces

CPU = torch.device("cpu")
HAPPY = ExpressionRequest(emotion="happy")
FRAMES = 10
FACES = talking_face(FRAMES, angle=4)
RIGHT = Box(int(FACES[0, 1, 0]) + 20, 0, SIZE, SIZE)  # less than half of the mouth


def masks(box: Box, *, first: int = 0, count: int = FRAMES) -> ArrayVideo:
    """White in a box from a frame on."""
    pixels = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    pixels[first:, box.y0 : box.y1, box.x0 : box.x1] = 255
    return ArrayVideo(pixels, RATE)


def stream(frames: list[Frame]) -> Generator[Frame, None, None]:
    yield from frames


def run(
    frames: list[Frame], mask: ArrayVideo | None, request: ExpressionRequest = HAPPY
) -> tuple[list[Frame], ClipOcclusion | None]:
    """The mesh editor between the stages that look and restore."""
    track = MadeUpTrack(FACES)
    occlusion = None if mask is None else ClipOcclusion(MaskVideo(mask), [track], RATE)
    stage = ExpressionStage(
        editor=MeshEditor(), request=request, tracks=[track], frame_rate=RATE, device=CPU, occlusion=occlusion
    )
    if occlusion is None:
        return list(stage(stream(frames))), None
    looked = LookStage(occlusion=occlusion)(stream(frames))
    return list(RestoreStage(occlusion=occlusion)(stage(looked))), occlusion


def test_covered_pixels_are_the_sources_and_the_rest_is_edited() -> None:
    frames = textured_frames(FRAMES)
    plain, _ = run(frames, None)
    out, occlusion = run(frames, masks(RIGHT))
    assert occlusion is not None and occlusion.report.frames == FRAMES
    for before, after, free in zip(frames, out, plain, strict=True):
        inside = slice(RIGHT.x0, RIGHT.x1)
        np.testing.assert_array_equal(after.rgb()[:, inside], before.rgb()[:, inside])
        assert (free.rgb()[:, inside] != before.rgb()[:, inside]).any()
        far = slice(0, RIGHT.x0 - 40)
        np.testing.assert_array_equal(after.rgb()[:, far], free.rgb()[:, far])
        assert (after.rgb()[:, far] != before.rgb()[:, far]).any()


def test_an_empty_mask_changes_nothing() -> None:
    frames = textured_frames(FRAMES)
    plain, _ = run(frames, None)
    out, occlusion = run(frames, masks(Box(0, 0, 0, 0)))
    assert occlusion is not None and occlusion.report.frames == 0
    assert all((a.rgb() == b.rgb()).all() for a, b in zip(plain, out, strict=True))


def test_strength_0_gives_the_very_same_frames() -> None:
    frames = textured_frames(FRAMES)
    out, _ = run(frames, masks(RIGHT), ExpressionRequest(emotion="happy", strength=0.0))
    assert all(a is b for a, b in zip(frames, out, strict=True))


def test_chunked_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = textured_frames(FRAMES)
    whole, _ = run(frames, masks(RIGHT, first=4))
    monkeypatch.setattr("thfem_core.face.occlusion.followed_face._BLOCK", 2)
    monkeypatch.setattr("thfem_core.expression.mesh.editor.BLOCK", 3)
    parts, _ = run(frames, masks(RIGHT, first=4))
    assert all((a.rgb() == b.rgb()).all() for a, b in zip(whole, parts, strict=True))


def test_a_mouth_that_is_covered_is_left_alone_and_counted() -> None:
    frames = textured_frames(FRAMES)
    mouth = FACES[:, [61, 291, 0, 17], :2]
    low, high = mouth.min(axis=(0, 1)).astype(int), mouth.max(axis=(0, 1)).astype(int)
    out, occlusion = run(frames, masks(Box(low[0] - 3, low[1] - 3, high[0] + 4, high[1] + 4)))
    assert occlusion is not None and occlusion.report.left["mouth"] == FRAMES
    assert not occlusion.report.left["left brow"]
    for before, after, face in zip(frames, out, FACES, strict=True):
        corner = face[61, :2].astype(int) - [6, 0]  # beside the covered box: part of the mouth all the same
        around = (slice(corner[1] - 3, corner[1] + 4), slice(corner[0] - 3, corner[0] + 4))
        np.testing.assert_array_equal(after.rgb()[around], before.rgb()[around])
        assert (after.rgb() != before.rgb()).any()


def test_a_picture_stands_for_all_frames_and_a_short_mask_is_refused() -> None:
    frames = textured_frames(FRAMES)
    wide = np.zeros((1, SIZE // 2, SIZE // 2, 3), np.uint8)
    wide[:, :, RIGHT.x0 // 2 :] = 255
    after, _ = run(frames, ArrayVideo(wide, RATE))
    for edited, source in zip(after, frames, strict=True):
        np.testing.assert_array_equal(edited.rgb()[:, RIGHT.x0 + 2 :], source.rgb()[:, RIGHT.x0 + 2 :])
    with pytest.raises(InputError, match=r"ends before frame 2 of the clip; give a mask of as many"):
        run(frames, ArrayVideo(wide.repeat(2, axis=0), RATE))


def test_a_mask_of_another_shape_is_refused_and_a_longer_one_is_told_of() -> None:
    clip = ArrayVideo(np.zeros((2, 90, 160, 3), np.uint8), RATE)
    assert check_mask(clip, "auto") == []
    assert check_mask(clip, ArrayVideo(np.zeros((2, 45, 80, 3), np.uint8), RATE)) == []
    (line,) = check_mask(clip, ArrayVideo(np.zeros((3, 90, 160, 3), np.uint8), RATE))
    assert line == "the occlusion mask has 3 frames, the clip 2: the rest is not used"
    with pytest.raises(InputError, match=r"is 160x160 and the clip 160x90; give a mask of the clip's shape"):
        check_mask(clip, ArrayVideo(np.zeros((2, 160, 160, 3), np.uint8), RATE))


def test_what_covered_the_source_is_not_drawn_into_other_frames() -> None:
    """In frame 0, the source of the first window, something covers the right half; later nothing does."""
    track = MadeUpTrack(np.repeat(FACES[:1], 5, axis=0))
    mask = np.zeros((5, SIZE, SIZE, 3), np.uint8)
    mask[0, :, RIGHT.x0 :] = 255
    frames = textured_frames(5)
    occlusion = ClipOcclusion(MaskVideo(ArrayVideo(mask, RATE)), [track], RATE)
    session = FakeSession(track, box=Box(60, 60, 190, 190), paint=lambda *_: (255, 0, 0))
    looked = LookStage(occlusion=occlusion)(stream(frames))
    drawn = list(draw_faces(looked, [DrawnFace(track=track, session=session)], occlusion=occlusion))
    after, before = drawn[3].rgb(), frames[3].rgb()
    assert (after[100:180, 61 : RIGHT.x0 - 20] == (255, 0, 0)).all()
    kept = slice(RIGHT.x0 + 2, 188)
    np.testing.assert_array_equal(after[100:180, kept], before[100:180, kept])


def test_a_talking_head_gives_way_where_a_part_of_the_mouth_is_covered() -> None:
    """From frame 2 on something covers the right part of the mouth: what is drawn on the left of it goes, too."""
    track = MadeUpTrack(np.repeat(FACES[:1], 5, axis=0))
    right, frames = Box(int(FACES[0, 1, 0]) + 8, 0, SIZE, SIZE), textured_frames(5)
    occlusion = ClipOcclusion(MaskVideo(masks(right, first=2, count=5)), [track], RATE)
    session = FakeSession(track, box=Box(60, 60, 190, 190), paint=lambda *_: (255, 0, 0))
    looked = LookStage(occlusion=occlusion)(stream(frames))
    drawn = list(draw_faces(looked, [DrawnFace(track=track, session=session)], occlusion=occlusion))
    assert occlusion.lips_free(track.track_id, 1) == 1 and occlusion.lips_free(track.track_id, 3) == 0
    assert (drawn[1].rgb()[100:180, 61:189] == (255, 0, 0)).all()
    np.testing.assert_array_equal(drawn[3].rgb(), frames[3].rgb())


def test_unknown_words_are_refused() -> None:
    with pytest.raises(InputError, match="occlusion is 'on'; give auto, off, or a mask video or picture"):
        EditConfig(occlusion="on")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def demo(demo_clip: Path) -> ArrayVideo:
    pictures = [frame.rgb() for _, frame in zip(range(6), FileVideo(demo_clip).frames(), strict=False)]
    return ArrayVideo(np.stack(pictures), Fraction(25))


def test_a_clean_face_is_edited_as_with_occlusion_off(demo: ArrayVideo) -> None:
    faces = find_faces(demo, device=CPU)
    results = []
    for occlusion in ("auto", "off"):
        work = edit(demo, EditConfig(request=HAPPY, talking_head=None, occlusion=occlusion), device=CPU, tracks=faces)
        results.append([frame.rgb() for frame in work.frames()])
        report = work.report
        assert (report.occlusion is None) == (occlusion == "off")
        assert "in front" not in report.summary
    np.testing.assert_array_equal(*results)


def test_a_bar_before_the_mouth_is_seen_and_stays(demo: ArrayVideo) -> None:
    faces = find_faces(demo, device=CPU)
    mouth = faces.tracks[0].samples(0, 1).landmarks[0, [61, 291], :2]
    (x0, y0), (x1, _) = mouth.min(axis=0).astype(int), mouth.max(axis=0).astype(int)
    pixels = np.stack([frame.rgb() for frame in demo.frames()])
    bar = (slice(None), slice(y0 - 25, y0 + 25), slice(x0 - 40, x1 + 40))
    pixels[bar] = (30, 60, 200)
    covered = ArrayVideo(pixels, Fraction(25))
    work = edit(covered, EditConfig(request=HAPPY, talking_head=None, occlusion="auto"), device=CPU, tracks=faces)
    out = np.stack([frame.rgb() for frame in work.frames()])
    np.testing.assert_array_equal(out[bar], pixels[bar])
    assert (out != pixels).any()
    assert work.report.occlusion is not None and work.report.occlusion.left["mouth"] == len(pixels)
    assert f"mouth covered and left alone in {len(pixels)}" in work.report.summary
    for mask in occlusion_masks(covered, faces.tracks, device=CPU):
        assert mask.shape == pixels.shape[1:3] and (mask[bar[1:]] == 1).mean() > 0.95
        assert mask[: int(0.2 * len(mask))].max() == 0


def test_a_preview_keeps_what_is_in_front(demo: ArrayVideo) -> None:
    faces = find_faces(demo, device=CPU)
    pixels = np.zeros((6, demo.info.height, demo.info.width, 3), np.uint8)
    nose = faces.tracks[0].samples(0, 1).landmarks[0, 1].astype(int)
    pixels[:, :, nose[0] + 15 :] = 255
    config = EditConfig(request=HAPPY, talking_head=None, occlusion=ArrayVideo(pixels, Fraction(25)))
    whole = list(edit(demo, config, device=CPU, tracks=faces).frames())
    preview = ClipPreview(demo, device=CPU, tracks=faces).edit(4, config)
    np.testing.assert_array_equal(preview.edited, whole[4].rgb())
    np.testing.assert_array_equal(preview.edited[:, nose[0] + 15 :], preview.source[:, nose[0] + 15 :])
    assert (preview.edited != preview.source).any()


def test_a_preview_refuses_what_an_edit_refuses(demo: ArrayVideo) -> None:
    narrow = ArrayVideo(np.zeros((1, 160, 80, 3), np.uint8), RATE)
    with pytest.raises(InputError, match="give a mask of the clip's shape"):
        ClipPreview(demo, device=CPU).edit(0, EditConfig(request=HAPPY, occlusion=narrow))
