"""Editor and talking head together, and pictures that speak; the talking head is a fake that paints squares."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from fake_talking_head import LEFT, FakeHead

from thfem_core.errors import InputError, OutputError, WeightsError
from thfem_core.expression.frames.back_end import FramesOptions
from thfem_core.expression.frames.editor import FramesEditor
from thfem_core.expression.request import ExpressionRequest
from thfem_core.face.tracking.track import FaceTracks
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.frame import Box, Frame
from thfem_core.media.sound import Sound, join_sound
from thfem_core.media.writer import write_video
from thfem_core.pipeline import EditConfig, EditReport, edit, edit_to_file, find_faces, open_speaker, read_speech
from thfem_core.progress import silent
from thfem_core.talking_head.head import talking_heads
from thfem_core.talking_head.windows import WindowConfig

CPU = torch.device("cpu")
HAPPY = ExpressionRequest(emotion="happy")
MOUTH = Box(200, 300, 300, 380)
INSIDE = np.s_[340, 250]


@pytest.fixture(scope="session")
def portrait_clip(demo_clip: Path) -> ArrayVideo:
    """Seven frames of one face, with their sound."""
    clip = FileVideo(demo_clip, start=Fraction(1), duration=Fraction(7, 25))
    return ArrayVideo(
        np.stack([frame.rgb() for frame in clip.frames()]), Fraction(25), sound=join_sound(clip.sound_blocks())
    )


@pytest.fixture(scope="session")
def portrait_faces(portrait_clip: ArrayVideo) -> FaceTracks:
    return find_faces(portrait_clip, device=CPU)


@pytest.fixture(scope="session")
def portrait_file(portrait_clip: ArrayVideo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("still") / "portrait.png"
    cv2.imwrite(str(path), cv2.cvtColor(next(portrait_clip.frames()).rgb(), cv2.COLOR_RGB2BGR))
    return path


def edited(video, request, *, tracks=None, progress=silent, **config) -> Iterator[Frame]:
    """The frames of an edit on the CPU."""
    config = EditConfig(request=request, **config)
    return edit(video, config, device=CPU, tracks=tracks, progress=progress).frames()


def written(source, output, request, *, tracks=None, progress=silent, **config) -> EditReport:
    """An edit on the CPU, written to a file."""
    config = EditConfig(request=request, **config)
    return edit_to_file(source, output, config, device=CPU, tracks=tracks, progress=progress)


def talk(source, sound, output, *, frame_rate=Fraction(25), **config) -> EditReport:
    """A picture or clip that speaks a sound file, on the CPU."""
    spoken = read_speech(sound, warn=print)
    video = open_speaker(source, spoken, frame_rate=frame_rate)
    return edit_to_file(video, output, EditConfig(drive="audio", **config), device=CPU, sound=spoken)


def noise(seconds: Fraction, rate: int, channels: int = 1) -> Sound:
    samples = np.random.default_rng(2).normal(0, 0.1, (channels, round(seconds * rate)))
    return Sound(samples.astype(np.float32), rate)


def sound_file(path: Path, sound: Sound) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "pcm_s16le", rate=sound.sample_rate, layout="mono" if len(sound.samples) == 1 else "stereo"
        )
        packed = (sound.samples * 32767).astype(np.int16).T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=stream.layout.name)
        frame.sample_rate = sound.sample_rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_lips_are_drawn_on_the_edited_frames(portrait_clip, portrait_faces):
    head = FakeHead(box=MOUTH, paint=lambda source, target: (source.index, target.index, 7), lookahead=2)
    config = WindowConfig(size=3)
    options = {"tracks": portrait_faces}
    plain = [frame.rgb() for frame in edited(portrait_clip, HAPPY, talking_head=None, **options)]
    drawn = [frame.rgb() for frame in edited(portrait_clip, HAPPY, talking_head=head, window=config, **options)]
    assert [tuple(picture[INSIDE]) for picture in drawn] == [
        (0, 0, 7), (0, 1, 7), (0, 2, 7), (0, 3, 7), (3, 4, 7), (3, 5, 7), (3, 6, 7),
    ]  # fmt: skip
    (session,) = head.sessions
    for window in session.windows:
        np.testing.assert_array_equal(window.source.rgb(), plain[window.source.index], "the source is the edited frame")
    for before, after in zip(plain, drawn, strict=True):
        after[MOUTH.y0 : MOUTH.y1, MOUTH.x0 : MOUTH.x1] = before[MOUTH.y0 : MOUTH.y1, MOUTH.x0 : MOUTH.x1]
        np.testing.assert_array_equal(before, after)


def test_the_talking_head_gets_track_sound_and_rate_of_the_clip(portrait_clip, portrait_faces):
    head = FakeHead(box=MOUTH)
    list(edited(portrait_clip, HAPPY, tracks=portrait_faces, talking_head=head))
    (clip,) = head.clips
    assert clip.track is portrait_faces.tracks[0]
    assert (clip.frame_rate, clip.drive) == (25, "blend")
    assert clip.speech.sample_rate == 16_000
    assert clip.speech.duration == pytest.approx(Fraction(7, 25), abs=1e-3)


@pytest.mark.parametrize(
    ("request_", "taken", "emotion"),
    [
        (HAPPY, False, "happy"),
        (ExpressionRequest(emotion="happy", strength=0.0), False, None),
        (ExpressionRequest(emotion="neutral"), True, None),
        (ExpressionRequest(emotion="sad"), True, "sad"),
        (None, False, None),
    ],
)
def test_the_talking_head_hears_what_the_face_shows(request_, taken, emotion, portrait_clip, portrait_faces):
    head = FakeHead(box=MOUTH)
    editor = FramesEditor(FramesOptions(edited_frames=portrait_clip)) if taken else "mesh"
    frames = edited(portrait_clip, request_, editor=editor, tracks=portrait_faces, talking_head=head)
    next(frames)
    frames.close()
    assert head.clips[0].emotion == emotion


def test_a_clip_without_faces_comes_out_as_it_went_in(portrait_clip):
    blank = ArrayVideo(np.full((4, 40, 48, 3), 77, np.uint8), Fraction(25), sound=noise(Fraction(1, 5), 8000))
    head = FakeHead()
    assert [frame.rgb().mean() for frame in edited(blank, HAPPY, talking_head=head)] == [77] * 4
    assert head.clips == []


def test_frames_of_another_system_are_followed_by_the_talking_head(portrait_clip, portrait_faces, tmp_path):
    """Faces are found in the original clip, and drawn on the other system's frames."""
    others = ArrayVideo(np.full((7, 512, 512, 3), 40, np.uint8), Fraction(25))
    head = FakeHead(box=MOUTH, paint=lambda source, target: (int(source.rgb()[0, 0, 0]), 200, 7))
    output = tmp_path / "o.mkv"
    stages: set[str] = set()
    report = written(
        portrait_clip,
        output,
        ExpressionRequest(emotion="neutral"),
        editor=FramesEditor(FramesOptions(edited_frames=others)),
        talking_head=head,
        occlusion="off",  # a grey picture has no face, so that all is in front of it
        progress=lambda stage, *_: stages.add(stage),
    )
    assert stages == {"Finding faces", "Writing video"}
    assert (report.faces, report.passed_through, report.lips.drawn_frames) == (1, {}, 7)
    for frame in FileVideo(output).frames():
        picture = frame.rgb().astype(int)
        assert abs(picture[20, 20] - 40).max() < 4 and abs(picture[INSIDE] - (40, 200, 7)).max() < 12
    np.testing.assert_array_equal(
        head.clips[0].track.samples(0, 7).landmarks, portrait_faces.tracks[0].samples(0, 7).landmarks
    )


def test_the_report_says_what_was_drawn(portrait_clip, portrait_faces, tmp_path):
    head = FakeHead(box=MOUTH, paint=lambda source, target: (9, 9, 9) if target.index > 4 else None)
    report = written(
        portrait_clip, tmp_path / "o.mp4", HAPPY, tracks=portrait_faces, talking_head=head, drive="original"
    )
    assert report.lips.drawn_frames == 2
    assert report.lips.drive == "original" and report.lips.left == {LEFT: 5}
    assert head.clips[0].speech is None, "the sound is not read where it moves nothing"


def test_silence_falls_back_to_the_original_lips(portrait_clip, portrait_faces):
    silent = ArrayVideo(np.stack([frame.rgb() for frame in portrait_clip.frames()]), Fraction(25))
    head = FakeHead(box=MOUTH)
    options = {"tracks": portrait_faces, "talking_head": head}
    list(edited(silent, HAPPY, **options))
    assert (head.clips[0].drive, head.clips[0].speech) == ("original", None)
    with pytest.raises(InputError, match="no sound to move the lips"):
        list(edited(silent, HAPPY, drive="audio", **options))


@pytest.mark.parametrize(("drive", "words"), [("lips", "audio, original, blend"), ("original", "choose one of: audio")])
def test_an_impossible_drive_names_the_possible(drive, words, portrait_clip, tmp_path):
    with pytest.raises(InputError, match=words):
        written(portrait_clip, tmp_path / "o.mp4", HAPPY, talking_head=FakeHead(drives=("audio",)), drive=drive)
    assert not list(tmp_path.iterdir())


def test_a_head_driven_by_sound_alone_takes_the_default_as_such(portrait_clip, portrait_faces):
    head = FakeHead(drives=("audio",), box=MOUTH)
    list(edited(portrait_clip, HAPPY, tracks=portrait_faces, talking_head=head))
    assert head.clips[0].drive == "audio"


@pytest.mark.parametrize(
    ("rate", "sound"),
    [
        (Fraction(24000, 1001), noise(Fraction(1, 3), 48_000, 2)),
        (Fraction(30000, 1001), noise(Fraction(1, 10), 8000)),
        (Fraction(60), noise(Fraction(1), 44_100, 2)),
    ],
    ids=["23.976 fps, stereo 48 kHz", "29.97 fps, 8 kHz, sound shorter", "60 fps, sound longer"],
)
def test_rates_of_picture_and_sound(rate, sound, portrait_clip, portrait_faces, tmp_path):
    source = tmp_path / "source.mp4"
    clip = ArrayVideo(np.stack([frame.rgb() for frame in portrait_clip.frames()]), rate, sound=sound)
    write_video(clip.frames(), source, like=clip)
    head = FakeHead(box=MOUTH, paint=lambda s, t: (40 * s.index, 25 * t.index, 7))
    output = tmp_path / "o.mp4"
    report = written(source, output, HAPPY, talking_head=head, window=WindowConfig(size=50))
    assert report.frames == 7 and report.lips.drawn_frames == 7 and report.sound == "copied"
    times = [frame.time for frame in FileVideo(output).frames()]
    assert times == [frame.time for frame in FileVideo(source).frames()]
    assert head.clips[0].frame_rate == rate
    assert head.clips[0].speech.duration == pytest.approx(sound.duration, abs=0.13)


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_closing_early_ends_all_threads(taken, portrait_clip, portrait_faces):
    before = threading.active_count()
    frames = edited(portrait_clip, HAPPY, tracks=portrait_faces, talking_head=FakeHead(box=MOUTH))
    for _ in range(taken):
        next(frames)
    frames.close()
    assert threading.active_count() == before


def test_a_failing_talking_head_leaves_no_output_and_no_thread(portrait_clip, portrait_faces, tmp_path):
    def fail(source, target):
        raise RuntimeError("the talking head failed")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="the talking head failed"):
        written(
            portrait_clip,
            tmp_path / "o.mp4",
            HAPPY,
            tracks=portrait_faces,
            talking_head=FakeHead(box=MOUTH, paint=fail),
        )
    assert not list(tmp_path.iterdir()) and threading.active_count() == before


def test_torch_keeps_its_threads(portrait_clip, portrait_faces):
    before = torch.get_num_threads()
    list(edited(portrait_clip, HAPPY, tracks=portrait_faces, talking_head=FakeHead(box=MOUTH)))
    assert torch.get_num_threads() == before


def test_missing_model_files_of_the_default_are_one_warning(portrait_clip, portrait_faces, tmp_path, monkeypatch):
    def missing(name, options=None, resources=None):
        raise WeightsError("cannot read mouth.safetensors; install the package again")

    monkeypatch.setattr(talking_heads, "create", missing)
    report = written(portrait_clip, tmp_path / "o.mp4", HAPPY, tracks=portrait_faces)
    (warning,) = report.warnings
    assert "lips stay as the edit leaves them" in warning and "install the package again" in warning
    assert report.lips is None and report.frames == 7


def test_talking_without_its_model_files_is_an_error(portrait_file, tmp_path, monkeypatch):
    def missing(name, options=None, resources=None):
        raise WeightsError("cannot read mouth.safetensors; install the package again")

    monkeypatch.setattr(talking_heads, "create", missing)
    spoken = sound_file(tmp_path / "speech.wav", noise(Fraction(1, 5), 16_000))
    with pytest.raises(WeightsError, match="install the package again"):
        talk(portrait_file, spoken, tmp_path / "o.mp4")
    assert not (tmp_path / "o.mp4").exists()


def test_a_picture_speaks_as_long_as_the_sound(portrait_file, tmp_path):
    head = FakeHead(box=MOUTH, paint=lambda source, target: (source.index, 20 * target.index, 7))
    spoken = sound_file(tmp_path / "speech.wav", noise(Fraction(2, 5), 8000))
    output = tmp_path / "o.mkv"
    report = talk(portrait_file, spoken, output, talking_head=head, frame_rate=Fraction(30000, 1001))
    assert (report.frames, report.sound, report.warnings) == (12, "encoded", ())
    (clip,) = head.clips
    assert clip.drive == "audio" and clip.frame_rate == Fraction(30000, 1001)
    assert {window.source.index for window in head.sessions[0].windows} == {0}
    assert clip.track.stop_frame == 12
    mesh = clip.track.samples(0, 14)
    np.testing.assert_array_equal(mesh.landmarks[0], mesh.landmarks[11])
    assert np.isnan(mesh.landmarks[12:]).all() and list(mesh.weight[10:]) == [1, 1, 0, 0]
    info = FileVideo(output).info
    assert (info.frame_rate, info.has_sound) == (Fraction(30000, 1001), True)
    greens = [int(frame.rgb()[INSIDE][1]) for frame in FileVideo(output).frames()]
    assert greens == pytest.approx([20 * i for i in range(12)], abs=14)


def test_a_picture_may_smile_as_it_speaks(portrait_file, tmp_path):
    spoken = sound_file(tmp_path / "speech.wav", noise(Fraction(1, 5), 16_000))
    head = FakeHead(paint=lambda source, target: None)
    plain, smiling = tmp_path / "plain.mkv", tmp_path / "smiling.mkv"
    talk(portrait_file, spoken, plain, talking_head=head)
    talk(portrait_file, spoken, smiling, talking_head=head, request=HAPPY)
    before, after = (next(iter(FileVideo(path).frames())).rgb().astype(int) for path in (plain, smiling))
    assert np.abs(before - after)[130:340, 160:345].mean() > 1


@pytest.mark.parametrize(
    ("seconds", "words"), [(Fraction(2), "its end is cut off"), (Fraction(1, 8), "the rest is silent")]
)
def test_a_clip_speaks_another_sound(seconds, words, portrait_clip, tmp_path):
    source, output = tmp_path / "source.mp4", tmp_path / "o.mp4"
    write_video(portrait_clip.frames(), source, like=portrait_clip)
    spoken = sound_file(tmp_path / "speech.wav", noise(seconds, 48_000, 2))
    head = FakeHead(box=MOUTH)
    report = talk(source, spoken, output, talking_head=head)
    assert report.frames == 7 and report.lips.drive == "audio"
    (warning,) = report.warnings
    assert words in warning
    length = min(seconds, Fraction(7, 25))
    assert head.clips[0].speech.duration == pytest.approx(length, abs=0.01)
    assert join_sound(FileVideo(output).sound_blocks()).duration == pytest.approx(length, abs=0.06)
    assert head.sessions[0].windows[2].source.index == 5, "a clip has sources of its own"


def test_what_cannot_speak_is_one_line(portrait_file, demo_clip, tmp_path):
    spoken = sound_file(tmp_path / "speech.wav", noise(Fraction(1, 5), 16_000))
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((64, 64, 3), 90, np.uint8))
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / "o.mp4"
    for source, sound, error, words in (
        (blank, spoken, InputError, "no face found in blank.png"),
        (portrait_file, blank, InputError, "blank.png has no sound"),
        (portrait_file, tmp_path / "missing.wav", InputError, "missing.wav"),
        (tmp_path / "missing.png", spoken, InputError, "missing.png"),
    ):
        with pytest.raises(error, match=words):
            talk(source, sound, output, talking_head=FakeHead())
    with pytest.raises(OutputError, match=r"\.mp4"):
        talk(portrait_file, spoken, tmp_path / "out" / "o.txt", talking_head=FakeHead())
    assert not list(output.parent.iterdir())
