"""The way from clip to edited clip, with editors that only record what they are given."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_talking_head import FakeHead

from thfem_core.errors import InputError
from thfem_core.expression.request import ExpressionRequest, ReferenceClip
from thfem_core.face.tracking.track import FaceTrack, FaceTracks
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.frame import Box, Frame
from thfem_core.pipeline import EditConfig, EditReport, choose_faces, edit, edit_to_file, faces_of_host, find_faces
from thfem_core.progress import silent

CPU = torch.device("cpu")
HAPPY = ExpressionRequest(emotion="happy")


@dataclass
class Recorder:
    """Marks a corner of every frame and remembers what it was called with."""

    seen: list[int] = field(default_factory=list)
    tracks: Sequence[FaceTrack] = ()
    request: ExpressionRequest | None = None
    frame_rate: Fraction | None = None
    fail_at: int | None = None
    needs_faces: bool = True

    def edit(
        self,
        frames: Iterable[Frame],
        tracks: Sequence[FaceTrack],
        request: ExpressionRequest,
        *,
        frame_rate: Fraction,
        device: torch.device,
    ) -> Iterator[Frame]:
        self.tracks, self.request, self.frame_rate = tracks, request, frame_rate
        for frame in frames:
            if frame.index == self.fail_at:
                raise RuntimeError("the editor failed")
            self.seen.append(frame.index)
            box = Box(0, 0, 4, 4)
            yield frame.paste(box, np.full((4, 4, 3), 255, np.uint8), np.ones((4, 4), np.float32))


def edited(video, request, *, tracks=None, progress=silent, **config) -> Iterator[Frame]:
    """The frames of an edit on the CPU."""
    config = EditConfig(request=request, **config)
    return edit(video, config, device=CPU, tracks=tracks, progress=progress).frames()


def written(source, output, request, *, tracks=None, progress=silent, **config) -> EditReport:
    """An edit on the CPU, written to a file."""
    config = EditConfig(request=request, **config)
    return edit_to_file(source, output, config, device=CPU, tracks=tracks, progress=progress)


def grey(count: int) -> ArrayVideo:
    return ArrayVideo(np.full((count, 40, 48, 3), 77, np.uint8), Fraction(30000, 1001))


@pytest.fixture(scope="module")
def nobody() -> FaceTracks:
    return find_faces(grey(2), device=CPU)


@pytest.fixture(scope="module")
def portrait(demo_clip: Path) -> ArrayVideo:
    """Three frames that show one face."""
    frames = FileVideo(demo_clip, duration=Fraction(3, 25)).frames()
    return ArrayVideo(np.stack([frame.rgb() for frame in frames]), Fraction(25))


def test_every_frame_goes_through_the_editor_once_and_in_order(nobody):
    editor = Recorder()
    done = list(edited(grey(50), HAPPY, editor=editor, tracks=replace(nobody, frame_count=50), talking_head=None))
    assert editor.seen == [frame.index for frame in done] == list(range(50))
    assert editor.frame_rate == Fraction(30000, 1001)
    assert all(frame.rgb()[0, 0, 0] == 255 and frame.rgb()[20, 20, 0] == 77 for frame in done)


def test_given_tracks_spare_the_tracking_pass(portrait):
    tracks = find_faces(portrait, device=CPU)
    stages: list[str] = []
    editor = Recorder()
    frames = edited(
        portrait,
        HAPPY,
        editor=editor,
        tracks=tracks,
        talking_head=None,
        progress=lambda stage, *_: stages.append(stage),
    )
    assert len(list(frames)) == 3
    assert stages == []
    assert list(editor.tracks) == list(tracks.tracks)


def test_landmarks_of_the_host_stand_in_for_tracking(portrait):
    own = find_faces(portrait, device=CPU)
    landmarks = own.tracks[0].samples(0, 3).landmarks
    faces = [[{"landmarks_xy": mesh[:, :2], "landmarks_3d": mesh}] for mesh in landmarks]
    payload = {"frames": faces, "image_size": (own.size[1], own.size[0])}
    tracks = faces_of_host(portrait, payload)
    assert tracks.size == own.size
    np.testing.assert_allclose(tracks.tracks[0].samples(0, 3).landmarks, landmarks, atol=0.5)
    with pytest.raises(InputError, match="of 2 frames, but images has 3"):
        faces_of_host(portrait, {**payload, "frames": faces[:2]})


def test_without_tracks_the_faces_are_found_and_reported(portrait):
    done: list[int] = []
    editor = Recorder()
    list(
        edited(
            portrait,
            HAPPY,
            editor=editor,
            talking_head=None,
            progress=lambda _stage, count, _total: done.append(count),
        )
    )
    assert done == [1, 2, 3]
    assert len(editor.tracks) == 1


def test_a_clip_without_faces_has_no_choice_to_get_wrong(portrait, nobody):
    assert choose_faces(nobody, "largest", "left-right") == choose_faces(nobody, 3, "size") == ()
    somebody = find_faces(portrait, device=CPU)
    assert len(choose_faces(somebody, 0, "left-right")) == 1
    with pytest.raises(InputError, match="face 1"):
        choose_faces(somebody, 1, "left-right")


def test_the_largest_face_of_a_reference_is_looked_for(portrait):
    editor = Recorder()
    request = ExpressionRequest(reference=ReferenceClip(video=portrait))
    list(edited(portrait, request, editor=editor, talking_head=None))
    assert editor.request.reference.track.stop_frame == 3
    with pytest.raises(InputError, match="no face"):
        edited(portrait, ExpressionRequest(reference=ReferenceClip(video=grey(2))), talking_head=None)


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_closing_early_ends_all_threads(taken, nobody):
    before = threading.active_count()
    frames = edited(grey(500), HAPPY, editor=Recorder(), tracks=replace(nobody, frame_count=500), talking_head=None)
    for _ in range(taken):
        next(frames)
    frames.close()
    assert threading.active_count() == before


def test_a_failing_editor_leaves_no_output_and_no_thread(demo_clip, tmp_path):
    clip = FileVideo(demo_clip, duration=Fraction(1, 5))
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="the editor failed"):
        written(clip.source.media, tmp_path / "o.mp4", HAPPY, editor=Recorder(fail_at=3), talking_head=None)
    assert not list(tmp_path.iterdir())
    assert threading.active_count() == before


def test_an_editor_that_needs_no_faces_gets_none(demo_clip, tmp_path):
    stages: set[str] = set()
    editor = Recorder(needs_faces=False)
    report = written(
        demo_clip,
        tmp_path / "o.mp4",
        HAPPY,
        editor=editor,
        talking_head=None,
        progress=lambda stage, *_: stages.add(stage),
    )
    assert stages == {"Writing video"}
    assert (report.frames, report.faces, report.passed_through, editor.tracks) == (126, None, {}, ())
    assert report.lips is None


class _Stop(BaseException):
    pass


@pytest.mark.parametrize(("stage", "at"), [("Finding faces", 2), ("Writing video", 3)])
def test_a_progress_callback_cancels_at_any_stage(stage, at, demo_clip, tmp_path):
    def cancel(now: str, done: int, total: int | None) -> None:
        if now == stage and done == at:
            raise _Stop

    before = threading.active_count()
    with pytest.raises(_Stop):
        written(
            demo_clip,
            tmp_path / "o.mp4",
            HAPPY,
            editor=Recorder(),
            talking_head=FakeHead(),
            progress=cancel,
        )
    assert not list(tmp_path.iterdir())
    assert threading.active_count() == before
