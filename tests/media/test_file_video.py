from __future__ import annotations

import io
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_material import make_video, marked_rgb, read_mark, smooth_rgb, tone, turn_container

from thfem_core.errors import InputError
from thfem_core.media.array_video import ArrayVideo, ImageFolderVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.frame import Box
from thfem_core.media.open_video import open_video
from thfem_core.media.sound import Sound, join_sound
from thfem_core.media.sound_file import read_sound
from thfem_core.media.yuv.planes import plane_views

MARKS = [marked_rgb(64, 48, number) for number in range(40)]


def marks(video) -> list[int]:
    return [read_mark(frame.rgb()) for frame in video.frames()]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 frames at 25 per second with B-frames, and 1.6 s of sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return make_video(path, pictures=MARKS, sound=tone(1.6, 16_000), options={"g": "12", "bf": "3"})


def test_frames_come_in_order_with_exact_times(clip: Path) -> None:
    video = FileVideo(clip)
    assert video.info.frame_rate == 25
    assert (video.info.frame_count, video.info.duration) == (40, Fraction(8, 5))
    assert (video.info.width, video.info.height, video.info.bit_depth, video.info.has_sound) == (64, 48, 8, True)
    frames = list(video.frames())
    assert [frame.index for frame in frames] == list(range(40))
    assert [frame.time for frame in frames] == [Fraction(number, 25) for number in range(40)]
    assert marks(video) == list(range(40))  # a second pass is a fresh one


def test_bytes_in_memory_are_read_like_a_file_by_several_readers_at_once(clip: Path) -> None:
    video = FileVideo(io.BytesIO(clip.read_bytes()))
    first, second = video.frames(), video.frames()
    for number in range(40):
        assert read_mark(next(first).rgb()) == read_mark(next(second).rgb()) == number
    assert join_sound(video.sound_blocks()) is not None


def test_a_closed_pass_leaves_no_open_file(clip: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open files cannot be listed on this system")
    before = len(list(folder.iterdir()))
    frames = FileVideo(clip).frames()
    next(frames)
    frames.close()
    assert len(list(folder.iterdir())) <= before


@settings(deadline=None, max_examples=25)
@given(st.fractions(0, Fraction(39, 25), max_denominator=200), st.fractions(Fraction(1, 25), 2, max_denominator=200))
def test_a_trim_window_keeps_exactly_the_frames_inside(start: Fraction, duration: Fraction) -> None:
    path = test_a_trim_window_keeps_exactly_the_frames_inside.clip
    tick = Fraction(1, 12_800)
    first, last = int(start / tick) * tick, int((start + duration) / tick) * tick
    inside = [number for number in range(40) if first <= Fraction(number, 25) < last]
    if not inside:
        with pytest.raises(InputError, match="no picture"):
            FileVideo(path, start=start, duration=duration)
        return
    video = FileVideo(path, start=start, duration=duration)
    assert marks(video) == inside
    assert next(video.frames()).time == 0
    assert video.info.frame_count in (len(inside) - 1, len(inside), len(inside) + 1)


@pytest.fixture(autouse=True, scope="module")
def _clip_for_hypothesis(clip: Path) -> None:
    test_a_trim_window_keeps_exactly_the_frames_inside.clip = clip


@pytest.mark.parametrize("late", [20, -3])
def test_a_duration_counts_from_the_first_frame_of_a_clip_that_begins_at_another_time(tmp_path: Path, late) -> None:
    ticks = [late + n for n in range(40)]
    path = make_video(tmp_path / "late.mkv", pictures=MARKS, ticks=ticks, sound=tone(3.0, 16_000))
    video = FileVideo(path, duration=Fraction(14, 25))
    assert marks(video) == list(range(14)) and video.info.frame_count == 14
    assert abs(join_sound(video.sound_blocks()).duration - Fraction(14, 25)) <= Fraction(1, 20)


LOGGED = """
import sys, av
from thfem_core.media.file_video import FileVideo
av.logging.set_level(av.logging.VERBOSE)
for path in sys.argv[1:]:
    frames = FileVideo(path).frames()
    next(frames)
    frames.close()
print("done")
"""


def test_logging_of_libav_that_another_package_turned_on_stops_nothing(clip: Path, tmp_path: Path) -> None:
    """A decoding thread that writes a log line must not wait for the one that waits for its end."""
    data, paths = clip.read_bytes(), []
    for seed in range(30):
        damage = np.random.default_rng(seed)
        damaged = bytearray(data)
        for place in damage.integers(200, len(data) * 2 // 3, 8):
            damaged[place : place + 64] = damage.bytes(64)
        paths.append(tmp_path / f"{seed}.mp4")
        paths[-1].write_bytes(damaged)
    command = [sys.executable, "-c", LOGGED, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2])
    assert done.stdout == "done\n", done.stderr[-2000:]


@pytest.mark.parametrize("suffix", [".ts", ".flv", ".mpg", ".mkv"])
def test_a_late_start_is_exact_in_files_without_an_index(tmp_path: Path, suffix: str) -> None:
    codec = "mpeg2video" if suffix == ".mpg" else "libx264"
    path = make_video(tmp_path / f"clip{suffix}", pictures=MARKS * 2, codec=codec, options={"g": "12", "bf": "2"})
    whole = FileVideo(path)
    all_times = [frame.time for frame in whole.frames()]
    for number in (1, 13, 60, 79):
        part = FileVideo(path, start=whole.source.origin + all_times[number] - Fraction(1, 500))
        assert part.source.origin == whole.source.origin + all_times[number]
        assert len(list(part.frames())) == len(all_times) - number


@pytest.mark.parametrize("start", [Fraction(-1), Fraction(100)])
def test_an_impossible_start_is_refused(clip: Path, start: Fraction) -> None:
    with pytest.raises(InputError, match=r"start is -1 s|no picture that can be decoded from 100 s on"):
        FileVideo(clip, start=start)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_variable_frame_rate_keeps_its_time_stamps(tmp_path: Path, suffix: str) -> None:
    ticks = [0, 40, 41, 100, 700, 733, 1500]
    path = make_video(
        tmp_path / f"vfr{suffix}", pictures=MARKS[:7], ticks=ticks, time_base=Fraction(1, 1000), options={"bf": "2"}
    )
    frames = list(FileVideo(path).frames())
    assert [frame.time for frame in frames] == [Fraction(tick, 1000) for tick in ticks]
    assert [read_mark(frame.rgb()) for frame in frames] == list(range(7))


def test_a_late_or_negative_first_time_stamp_becomes_time_zero(tmp_path: Path) -> None:
    for start in (7, -5):
        path = make_video(tmp_path / "late.mkv", pictures=MARKS[:5], ticks=[start + n for n in range(5)])
        assert [frame.time for frame in FileVideo(path).frames()][:3] == [0, Fraction(1, 25), Fraction(2, 25)]


@pytest.mark.parametrize("turn", [0, 90, 180, 270, "mirror"])
@pytest.mark.parametrize(
    ("pix_fmt", "size"), [("yuv420p", (64, 48)), ("yuv422p", (64, 48)), ("yuvj420p", (64, 48)), ("yuv444p", (35, 23))]
)
def test_turned_clips_come_upright(tmp_path: Path, turn: int | str, pix_fmt: str, size: tuple[int, int]) -> None:
    width, height = size
    path = make_video(tmp_path / "turned.mp4", pictures=[smooth_rgb(width, height)] * 2, pix_fmt=pix_fmt)
    coded = next(FileVideo(path).frames()).rgb()
    turn_container(path, turn)
    video = FileVideo(path)
    frame = next(video.frames())
    expected = coded[:, ::-1] if turn == "mirror" else np.rot90(coded, -turn // 90)
    assert (video.info.height, video.info.width) == expected.shape[:2] == (frame.height, frame.width)
    assert np.abs(frame.rgb().astype(int) - expected).max() == 0


@pytest.mark.parametrize(
    ("codec", "suffix", "pix_fmt", "bits"),
    [("libx264", ".mp4", "yuv420p10le", 10), ("libx264", ".mp4", "yuvj420p", 8), ("libx264", ".mkv", "yuv444p", 8),
     ("mjpeg", ".mov", "yuvj422p", 8), ("ffv1", ".mkv", "gbrp10le", 10), ("ffv1", ".mkv", "yuva420p", 8),
     ("ffv1", ".mkv", "gray", 8), ("prores_ks", ".mov", "yuva444p10le", 12), ("libvpx-vp9", ".webm", "yuva420p", 8)],
)  # fmt: skip
def test_every_kind_of_pixels_is_read(tmp_path: Path, codec: str, suffix: str, pix_fmt: str, bits: int) -> None:
    rgb = smooth_rgb(48, 32)
    if pix_fmt == "gray":
        rgb = np.repeat(rgb[..., :1], 3, axis=2)
    alpha = np.tile(np.arange(48) * 4, (32, 1)) if pix_fmt.startswith("yuva") else None
    path = make_video(tmp_path / f"clip{suffix}", pictures=[rgb] * 3, codec=codec, pix_fmt=pix_fmt, alpha=alpha)
    video = FileVideo(path)
    frames = list(video.frames())
    assert len(frames) == 3
    assert video.info.bit_depth in (bits, 10)
    assert np.abs(frames[1].rgb().astype(int) - rgb).mean() < 4
    assert (frames[1].layout.alpha is not None) == (alpha is not None)
    if alpha is not None:
        seen = plane_views(frames[1].picture, frames[1].layout)[frames[1].layout.alpha].astype(float)
        assert np.corrcoef(seen.ravel(), alpha.ravel())[0, 1] > 0.99


def test_cover_art_is_not_the_video(tmp_path: Path) -> None:
    song = tmp_path / "song.mka"
    with av.open(str(song), "w", format="matroska") as output:
        track = output.add_stream("aac", rate=16_000, layout="mono")
        _, png = cv2.imencode(".png", smooth_rgb(8, 8))
        if not hasattr(output, "add_attachment"):
            pytest.skip("this PyAV cannot write cover art")
        output.add_attachment("cover.png", "image/png", png.tobytes())
        frame = av.AudioFrame.from_ndarray(tone(0.5, 16_000), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    with av.open(str(song)) as container:
        assert len(container.streams.video) == 1
    with pytest.raises(InputError, match="has no video track"):
        FileVideo(song)
    assert read_sound(song) is not None


def test_damage_in_the_middle_costs_only_a_few_frames(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    start = data.index(b"mdat") + 4
    middle = start + (data.index(b"moov") - start if data.index(b"moov") > start else len(data) - start) // 2
    data[middle : middle + 40] = bytes(40)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    assert len(list(FileVideo(path).frames())) >= 20


def test_a_cut_off_matroska_file_gives_what_is_there(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mkv", pictures=MARKS, options={"g": "5", "crf": "10"})
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    count = len(list(FileVideo(cut).frames()))
    assert 5 <= count < 40


def write_text(path: Path, clip: Path) -> None:
    path.write_text("this is not a film " * 50)


def write_cut(path: Path, clip: Path) -> None:
    path.write_bytes(clip.read_bytes()[:2000])  # the index (moov) at the end is missing


def write_empty(path: Path, clip: Path) -> None:
    path.write_bytes(b"")


def write_sound_only(path: Path, clip: Path) -> None:
    with av.open(str(path), "w") as output:
        track = output.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(0.5, 16_000), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        output.mux(track.encode(frame))
        output.mux(track.encode(None))


def write_no_frames(path: Path, clip: Path) -> None:
    make_video(path, pictures=MARKS[:1])
    data = path.read_bytes()
    start = data.index(b"mdat") + 4
    path.write_bytes(data[:start] + bytes(data.index(b"moov") - start) + data[data.index(b"moov") :])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (write_text, "cannot be opened as a video"),
        (write_cut, "cut off"),
        (write_empty, r"is empty \(0 bytes\)"),
        (write_sound_only, "it has only sound"),
        (write_no_frames, "no picture that can be decoded|cut off"),
        (Path.mkdir, "is a folder"),
        (None, "there is no file"),
    ],
)
def test_what_is_no_video_is_told_in_one_line(tmp_path: Path, clip: Path, spoil, message: str) -> None:
    path = tmp_path / "input.mp4"
    if spoil is Path.mkdir:
        path.mkdir()
    elif spoil is not None:
        spoil(path, clip)
    with pytest.raises(InputError, match=message) as error:
        FileVideo(path)
    assert "\n" not in str(error.value)
    assert "input.mp4" in str(error.value)


def test_an_image_batch_is_read_in_place() -> None:
    import torch

    images = torch.rand(3, 5, 7, 3)
    video = ArrayVideo(images, Fraction(30))
    frames = list(video.frames())
    assert frames[2].time == Fraction(1, 15)
    assert np.shares_memory(frames[1].pixels, images.numpy())
    np.testing.assert_array_equal(frames[1].rgb(), (images[1].numpy() * 255).round().astype(np.uint8))
    kept = frames[0].paste(Box(1, 1, 3, 3), np.zeros((2, 2, 3), np.uint8), np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(kept.pixels[3:], images[0].numpy()[3:])
    with pytest.raises(InputError, match="give a batch"):
        ArrayVideo(torch.rand(5, 7, 3), Fraction(30))
    with pytest.raises(InputError, match="no pixels"):
        ArrayVideo(torch.rand(0, 5, 7, 3), Fraction(30))
    with pytest.raises(InputError, match="frame rate is 0"):
        ArrayVideo(images, Fraction(0))


def test_a_folder_of_images_is_sorted_as_people_count(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"frame{number}.png"), MARKS[number][..., ::-1])
    (tmp_path / "notes.txt").write_text("no image")
    video = open_video(tmp_path, frame_rate=Fraction(10))
    assert isinstance(video, ImageFolderVideo)
    assert marks(video) == [1, 2, 10]
    assert video.info.duration == Fraction(3, 10)
    cv2.imwrite(str(tmp_path / "frame11.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(InputError, match=r"frame11.png is 4x4 but frame1.png is 64x48"):
        list(video.frames()) and list(ImageFolderVideo(tmp_path).frames())


def test_one_image_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    path = tmp_path / "still.webp"
    cv2.imwrite(str(path), smooth_rgb(20, 10))
    (frame,) = open_video(path).frames()
    assert (frame.width, frame.height) == (20, 10)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="not an image"):
        open_video(path)
    with pytest.raises(InputError, match="no images"):
        (tmp_path / "bare").mkdir()
        open_video(tmp_path / "bare")
    path.rename(tmp_path / "bare" / path.name)
    (tmp_path / "bare" / "talk.mp4").write_bytes(b"clip")
    with pytest.raises(InputError, match=r"holds clips; give one, such as talk.mp4"):
        open_video(tmp_path / "bare")


def test_sound_values_are_checked() -> None:
    with pytest.raises(ValueError, match="float32"):
        Sound(np.zeros(5, np.float32), 16_000)
    with pytest.raises(ValueError, match="sample rate"):
        Sound(np.zeros((1, 5), np.float32), 0)
