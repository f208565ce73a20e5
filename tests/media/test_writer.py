from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_material import REAL_CLIPS, lag_milliseconds, make_video, marked_rgb, read_mark, smooth_rgb, tone

from thfem_core.errors import InputError, OutputError
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.atomic import complete_file
from thfem_core.media.edited_mark import edited_mark, edited_metadata
from thfem_core.media.encoding import EncodingConfig, encoder_options
from thfem_core.media.file_video import FileVideo
from thfem_core.media.prefetch import prefetch
from thfem_core.media.sound import Sound, join_sound
from thfem_core.media.writer import check_video_output, write_video
from thfem_core.media.yuv.colour import ColourTags
from thfem_core.media.yuv.planes import plane_views

RATE = 48_000
NOISE = tone(1.6, RATE, channels=2)
MARKS = [marked_rgb(64, 48, number) for number in range(40)]
LOSSLESS = EncodingConfig(crf=0)


def times(video) -> list[Fraction]:
    return [frame.time for frame in video.frames()]


def copy(source: Path, target: Path, **kwargs):
    video = FileVideo(source)
    return write_video(video.frames(), target, like=video, **kwargs)


def container_tags(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return {key.lower(): value for key, value in container.metadata.items()}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(
        tmp_path_factory.mktemp("writer") / "clip.mp4",
        pictures=MARKS,
        sound=NOISE,
        sound_rate=RATE,
        tags=ColourTags(matrix=6, range=1, primaries=6, transfer=6),
        metadata={"title": "A talk", "comment": "take 3"},
    )


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v", ".mkv", ".webm"])
def test_everything_but_the_codec_stays(clip: Path, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"out{suffix}"
    report = copy(clip, target)
    source, result = FileVideo(clip), FileVideo(target)
    assert report.frame_count == 40
    assert times(result) == times(source)
    assert [read_mark(frame.rgb()) for frame in result.frames()] == list(range(40))
    assert (result.info.width, result.info.height) == (64, 48)
    assert abs(result.info.frame_rate - 25) < Fraction(1, 10)
    assert abs(result.info.duration - Fraction(8, 5)) < Fraction(1, 20)
    assert (result.info.colour.matrix, result.info.colour.range) == (6, 1)
    assert not report.warnings
    tags = container_tags(target)
    assert tags["thfem"] == edited_mark()
    assert tags["comment"] == f"{edited_mark()} | take 3"
    assert tags["title"] == "A talk"
    old, new = join_sound(source.sound_blocks()), join_sound(result.sound_blocks())
    assert old is not None and new is not None
    assert report.sound == ("encoded" if suffix == ".webm" else "copied")
    assert abs(lag_milliseconds(old.samples, new.samples, RATE)) <= 1.0
    if suffix in (".mp4", ".mov", ".m4v"):
        np.testing.assert_array_equal(old.samples, new.samples)
        assert result.info.colour == source.info.colour
    assert sorted(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("suffix", "codec", "target", "kind"),
    [(".mkv", "libopus", ".mp4", "copied"), (".mkv", "libopus", ".webm", "copied"), (".mkv", "flac", ".mov", "encoded"),
     (".mov", "pcm_s16le", ".mp4", "encoded"), (".mov", "pcm_s16le", ".mkv", "copied"),
     (".mp4", "aac", ".mkv", "copied"), (".mp4", "libmp3lame", ".mov", "copied"),
     (".mkv", "ac3", ".mp4", "copied"), (".mp4", "aac", ".webm", "encoded"),
     (".ts", "aac", ".mp4", "copied"), (".mkv", "aac", ".mp4", "copied")],
)  # fmt: skip
def test_sound_is_copied_where_the_container_allows_and_never_shifted(
    tmp_path: Path, suffix: str, codec: str, target: str, kind: str
) -> None:
    source = make_video(tmp_path / f"in{suffix}", pictures=MARKS, sound=NOISE, sound_rate=RATE, sound_codec=codec)
    report = copy(source, tmp_path / f"out{target}")
    assert report.sound == kind
    result = FileVideo(tmp_path / f"out{target}")
    sound = join_sound(result.sound_blocks())
    assert sound is not None
    assert abs(lag_milliseconds(NOISE, sound.resampled(RATE).samples, RATE)) <= 1.0
    assert abs(sound.duration - Fraction(8, 5)) < Fraction(1, 10)
    assert result.info.frame_count == 40


@pytest.mark.parametrize("start_sound", [0.0, 0.3])
@pytest.mark.parametrize("late", [0, 10])
@pytest.mark.parametrize("target", [".mp4", ".mkv", ".webm"])
def test_offsets_between_picture_and_sound_stay(tmp_path: Path, start_sound: float, late: int, target: str) -> None:
    source = make_video(
        tmp_path / "in.mp4", pictures=MARKS, ticks=[late + n for n in range(40)], sound=NOISE, sound_rate=RATE,
        sound_start=start_sound,
    )  # fmt: skip
    copy(source, tmp_path / f"out{target}")
    sound = join_sound(FileVideo(tmp_path / f"out{target}").sound_blocks())
    assert sound is not None
    lag = lag_milliseconds(NOISE, sound.resampled(RATE).samples, RATE)
    assert lag == pytest.approx(1000 * start_sound - 40 * late, abs=1.0)


@pytest.mark.parametrize("target", [".mp4", ".mkv"])
def test_a_clip_cut_at_its_start_keeps_step(clip: Path, tmp_path: Path, target: str) -> None:
    video = FileVideo(clip, start=Fraction(1, 2), duration=Fraction(4, 5))
    report = write_video(video.frames(), tmp_path / f"out{target}", like=video)
    result = FileVideo(tmp_path / f"out{target}")
    assert report.sound == "encoded"
    assert times(result) == [Fraction(n, 25) for n in range(20)]
    sound = join_sound(result.sound_blocks())
    assert sound is not None
    assert lag_milliseconds(NOISE, sound.samples, RATE) == pytest.approx(-1000 * video.source.origin, abs=1.0)
    assert abs(sound.duration - Fraction(4, 5)) < Fraction(1, 20)


def test_a_clip_cut_at_its_end_still_copies(clip: Path, tmp_path: Path) -> None:
    video = FileVideo(clip, duration=Fraction(4, 5))
    report = write_video(video.frames(), tmp_path / "out.mp4", like=video)
    result = FileVideo(tmp_path / "out.mp4")
    assert (report.sound, result.info.frame_count) == ("copied", 20)
    sound = join_sound(result.sound_blocks())
    assert sound is not None and abs(sound.duration - Fraction(4, 5)) < Fraction(1, 20)


def test_given_sound_replaces_the_source_and_none_drops_it(clip: Path, tmp_path: Path) -> None:
    other = Sound(tone(1.6, 16_000, seed=7), 16_000)
    assert copy(clip, tmp_path / "other.mp4", sound=other).sound == "encoded"
    heard = join_sound(FileVideo(tmp_path / "other.mp4").sound_blocks())
    assert heard is not None and heard.sample_rate == 16_000
    assert abs(lag_milliseconds(other.samples, heard.samples, 16_000)) <= 1.0
    empty = Sound(np.zeros((1, 0), np.float32), 16_000)
    assert copy(clip, tmp_path / "empty.mp4", sound=empty).sound == "none"
    surround = Sound(np.repeat(other.samples, 6, axis=0), 16_000)
    assert copy(clip, tmp_path / "surround.webm", sound=surround).sound == "encoded"
    assert copy(clip, tmp_path / "none.mp4", sound=None).sound == "none"
    assert not FileVideo(tmp_path / "none.mp4").info.has_sound


def test_unknown_sound_is_dropped_with_a_warning(tmp_path: Path) -> None:
    path = make_video(tmp_path / "odd.mkv", pictures=MARKS[:5], sound=NOISE, sound_rate=RATE, sound_codec="flac")
    path.write_bytes(path.read_bytes().replace(b"A_FLAC", b"A_FLAX"))
    told: list[str] = []
    report = copy(path, tmp_path / "out.mp4", warn=told.append)
    assert report.sound == "none"
    assert told == list(report.warnings) and "odd.mkv" in told[0]
    assert FileVideo(tmp_path / "out.mp4").info.frame_count == 5


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_variable_frame_rate_keeps_its_time_stamps(tmp_path: Path, suffix: str) -> None:
    ticks = [0, 40, 41, 100, 700, 733, 900]
    source = make_video(tmp_path / "vfr.mkv", pictures=MARKS[:7], ticks=ticks, time_base=Fraction(1, 1000))
    copy(source, tmp_path / f"out{suffix}")
    result = FileVideo(tmp_path / f"out{suffix}")
    assert times(result) == [Fraction(tick, 1000) for tick in ticks]
    assert [read_mark(frame.rgb()) for frame in result.frames()] == list(range(7))


@pytest.mark.parametrize("rate", [Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(2997, 100), Fraction(50)])
def test_rates_stay_exact_in_mp4(tmp_path: Path, rate: Fraction) -> None:
    source = make_video(tmp_path / "in.mp4", pictures=MARKS, rate=rate)
    copy(source, tmp_path / "out.mp4")
    result = FileVideo(tmp_path / "out.mp4")
    assert result.info.frame_rate == rate
    assert times(result) == [n / rate for n in range(40)]
    assert result.info.duration == 40 / rate


@pytest.mark.parametrize(
    ("pix_fmt", "tags", "size"),
    [("yuv420p", ColourTags(), (64, 48)), ("yuvj420p", ColourTags(matrix=5, range=2), (64, 48)),
     ("yuv420p", ColourTags(matrix=1, range=2, primaries=1, transfer=1), (64, 48)),
     ("yuv422p", ColourTags(matrix=1, range=1), (64, 48)), ("yuv444p", ColourTags(), (35, 23)),
     ("yuv444p", ColourTags(), (1, 1))],
)  # fmt: skip
def test_lossless_coding_returns_every_sample(
    tmp_path: Path, pix_fmt: str, tags: ColourTags, size: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (size[1], size[0], 3), np.uint8) for _ in range(4)]
    codec = "mjpeg" if pix_fmt.startswith("yuvj") else "ffv1"
    source = make_video(tmp_path / "in.mkv", pictures=pictures, pix_fmt=pix_fmt, tags=tags, codec=codec)
    copy(source, tmp_path / "out.mp4", encoding=LOSSLESS)
    first, second = FileVideo(source), FileVideo(tmp_path / "out.mp4")
    assert (second.info.colour.matrix, second.info.colour.range) == (tags.matrix, tags.range)
    for old, new in zip(first.frames(), second.frames(), strict=True):
        for a, b in zip(plane_views(old.picture, old.layout), plane_views(new.picture, new.layout), strict=True):
            np.testing.assert_array_equal(a, b)


def test_ten_bits_stay_ten_bits(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "in.mp4", pictures=MARKS[:4], pix_fmt="yuv420p10le",
        tags=ColourTags(matrix=9, range=1, primaries=9, transfer=16),
    )  # fmt: skip
    report = copy(source, tmp_path / "out.mp4")
    result = FileVideo(tmp_path / "out.mp4")
    assert (report.pixel_format, result.info.bit_depth) == ("yuv420p10le", 10)
    assert result.info.colour == FileVideo(source).info.colour
    assert copy(source, tmp_path / "out.webm").pixel_format in ("yuv420p", "yuv420p10le")
    assert [read_mark(frame.rgb()) for frame in FileVideo(tmp_path / "out.webm").frames()] == [0, 1, 2, 3]


@pytest.mark.parametrize("size", [(35, 24), (36, 23), (35, 23), (1, 1), (2, 2)])
def test_odd_sizes_stay_exact(tmp_path: Path, size: tuple[int, int]) -> None:
    source = make_video(tmp_path / "in.mkv", pictures=[smooth_rgb(*size)] * 3, codec="ffv1", pix_fmt="yuv420p")
    for suffix in (".mp4", ".webm"):
        copy(source, tmp_path / f"out{suffix}")
        result = FileVideo(tmp_path / f"out{suffix}")
        assert (result.info.width, result.info.height) == size
        theirs, ours = next(FileVideo(source).frames()).rgb(), next(result.frames()).rgb()
        assert np.abs(theirs.astype(int) - ours).mean() < 6


@pytest.mark.parametrize(("suffix", "kept"), [(".webm", True), (".mov", True), (".mp4", False), (".mkv", False)])
@pytest.mark.parametrize(("pix_fmt", "stored"), [("yuva420p", "yuva420p"), ("gbrap", "bgra")])
def test_transparency_is_kept_where_the_file_type_can(
    tmp_path: Path, suffix: str, kept: bool, pix_fmt: str, stored: str
) -> None:
    alpha = np.tile(np.arange(64) * 4, (48, 1))
    source = make_video(
        tmp_path / "in.mkv", pictures=MARKS[:3], codec="ffv1", pix_fmt=pix_fmt, stored_format=stored, alpha=alpha
    )
    report = copy(source, tmp_path / f"out{suffix}")
    frame = next(FileVideo(tmp_path / f"out{suffix}").frames())
    assert (frame.layout.alpha is not None) == kept
    assert bool(report.warnings) == (not kept)
    if kept:
        seen = plane_views(frame.picture, frame.layout)[frame.layout.alpha] / frame.layout.maximum
        assert np.abs(seen - alpha / 255).max() < 0.05
    assert read_mark(frame.rgb()) == 0


def test_images_become_a_clip_with_their_sound(tmp_path: Path) -> None:
    images = np.stack(MARKS).astype(np.float32) / 255
    video = ArrayVideo(images, Fraction(30_000, 1001), sound=Sound(NOISE, RATE))
    report = write_video(video.frames(), tmp_path / "out.mp4", like=video)
    result = FileVideo(tmp_path / "out.mp4")
    assert (report.pixel_format, report.sound) == ("yuv420p", "encoded")
    assert times(result) == [Fraction(1001 * n, 30_000) for n in range(40)]
    assert [read_mark(frame.rgb()) for frame in result.frames()] == list(range(40))
    assert np.abs(next(result.frames()).rgb().astype(int) - MARKS[0]).mean() < 4


def test_pixel_aspect_is_kept(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        output.mux(stream.encode(av.VideoFrame.from_ndarray(MARKS[0], format="rgb24").reformat(format="yuv420p")))
        output.mux(stream.encode(None))
    copy(tmp_path / "in.mp4", tmp_path / "out.mp4")
    assert FileVideo(tmp_path / "out.mp4").info.pixel_aspect == Fraction(4, 3)


def test_the_output_may_be_the_input(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "same.mp4"
    path.write_bytes(clip.read_bytes())
    copy(path, path)
    assert times(FileVideo(path)) == times(FileVideo(clip))
    assert list(tmp_path.iterdir()) == [path]
    copy(path, path)
    assert container_tags(path)["comment"].count("Synthetic media") == 1


class Cancelled(BaseException):
    """Such as the interrupt of a node host."""


@pytest.mark.parametrize("at", [1, 20, 40])
def test_cancelling_leaves_nothing_and_closes_the_source(clip: Path, tmp_path: Path, at: int) -> None:
    closed: list[bool] = []
    video = FileVideo(clip)

    def frames() -> Iterator:
        try:
            yield from video.frames()
        finally:
            closed.append(True)

    def progress(stage: str, done: int, total: int | None) -> None:
        assert (stage, total) == ("Writing video", 40)
        if done == at:
            raise Cancelled

    target = tmp_path / "out.mp4"
    target.write_text("older")
    with pytest.raises(Cancelled):
        write_video(prefetch(frames()), target, like=video, progress=progress)
    assert closed == [True]
    assert target.read_text() == "older"
    assert list(tmp_path.iterdir()) == [target]


def test_frames_of_another_size_or_none_are_refused(clip: Path, tmp_path: Path) -> None:
    video, other = FileVideo(clip), ArrayVideo(np.zeros((1, 8, 8, 3), np.uint8), Fraction(25))
    with pytest.raises(InputError, match="no frames"):
        write_video((frame for frame in ()), tmp_path / "out.mp4", like=video)
    with pytest.raises(InputError, match="8x8 but the clip began with 64x48"):
        write_video((frame for clip in (video, other) for frame in clip.frames()), tmp_path / "out.mp4", like=video)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing/out.mp4", "no folder"), ("out.xyz", r"not a video type; use \.mp4"), ("out", "no ending"),
     ("folder.mp4", "is a folder"), ("x" * 300 + ".mp4", "too long")],
)  # fmt: skip
def test_outputs_that_cannot_be_are_told_in_one_line(clip: Path, tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(OutputError, match=message) as error:
        check_video_output(tmp_path / name)
        copy(clip, tmp_path / name)
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]


def test_a_folder_without_permission_is_told(clip: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="not writable"):
            copy(clip, tmp_path / "out.mp4")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(0)
    video = ArrayVideo(rng.integers(0, 256, (10, 128, 128, 3), np.uint8), Fraction(25))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))  # a write beyond fails as on a full disk
    try:
        with pytest.raises(OutputError, match=r"cannot write .*out") as error:
            write_video(video.frames(), tmp_path / f"out{suffix}", like=video)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_missing_or_unsuitable_encoder_is_told(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no encoder 'libnothing'"):
        copy(clip, tmp_path / "out.mp4", encoding=EncodingConfig(codec="libnothing"))
    with pytest.raises(OutputError, match="cannot write"):
        copy(clip, tmp_path / "out.webm", encoding=EncodingConfig(codec="libx264"))
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="crf is 99"):
        EncodingConfig(crf=99)
    with pytest.raises(InputError, match="preset 'warp'"):
        EncodingConfig(preset="warp")
    with pytest.raises(InputError, match="sound_bitrate"):
        EncodingConfig(sound_bitrate=1)


def test_only_the_default_preset_of_h264_has_look_ahead_of_its_own() -> None:
    h264, h265 = (encoder_options(codec, EncodingConfig()) for codec in ("libx264", "libx265"))
    fast = {"crf": "18", "preset": "superfast"}
    assert h264 == {**fast, "mbtree": "1", "rc-lookahead": "5", "bf": "1", "x264-params": "sync-lookahead=0"}
    assert h265["preset"] == "veryfast" and "mbtree" not in h265
    assert encoder_options("libx264", EncodingConfig(preset="superfast")) == fast


def test_a_complete_file_replaces_and_a_failed_one_does_not(tmp_path: Path) -> None:
    target = tmp_path / "preview.png"
    with complete_file(target) as temporary:
        assert temporary.suffix == ".png" and temporary.parent == tmp_path
        temporary.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    with pytest.raises(Cancelled), complete_file(target) as temporary:
        temporary.write_bytes(b"half")
        raise Cancelled
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_the_mark_goes_first_once_and_technical_tags_go() -> None:
    tags = edited_metadata({"COMMENT": "mine", "major_brand": "isom", "artist": "me"})
    assert tags == {"artist": "me", "comment": f"{edited_mark()} | mine", "thfem": edited_mark()}
    assert edited_metadata(tags) == tags


MEMORY_SCRIPT = """
import resource, sys
from thfem_core.media.file_video import FileVideo
from thfem_core.media.prefetch import prefetch
from thfem_core.media.writer import write_video
video = FileVideo(sys.argv[1])
write_video(prefetch(video.frames()), sys.argv[2], like=video)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    peaks = []
    for seconds in (10, 60):
        source = make_video(
            tmp_path / f"{seconds}.mp4",
            pictures=[smooth_rgb(640, 360, seed) for seed in range(5)] * seconds,
            rate=Fraction(5),
            options={"preset": "ultrafast"},
            sound=tone(seconds, 16_000),
        )
        command = [sys.executable, "-c", MEMORY_SCRIPT, str(source), str(tmp_path / f"out{seconds}.mkv")]
        run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        peaks.append(int(run.stdout))
    assert peaks[1] <= 1.05 * peaks[0]


@pytest.mark.parametrize("path", sorted(REAL_CLIPS.glob("*.mp4")), ids=lambda path: path.stem)
def test_real_clips_keep_frames_times_and_sound(path: Path, tmp_path: Path) -> None:
    video = FileVideo(path, duration=Fraction(9, 10))
    write_video(prefetch(video.frames()), tmp_path / "out.mp4", like=video, encoding=EncodingConfig(preset="ultrafast"))
    result = FileVideo(tmp_path / "out.mp4")
    assert times(result) == times(video)
    assert (result.info.width, result.info.height) == (video.info.width, video.info.height)
    assert (result.info.colour.matrix, result.info.colour.range) == (video.info.colour.matrix, video.info.colour.range)
    old, new = join_sound(video.sound_blocks()), join_sound(result.sound_blocks())
    assert old is not None and new is not None
    size = min(old.samples.shape[1], new.samples.shape[1])
    assert size >= 0.9 * old.sample_rate * (Fraction(9, 10) - video.source.origin)
    np.testing.assert_array_equal(old.samples[:, :size], new.samples[:, :size])


def test_sound_before_an_edit_does_not_come_back(clip: Path, tmp_path: Path) -> None:
    """A clip whose edit list hides its first second, as cutting without encoding leaves it."""
    hidden = tmp_path / "hidden.mp4"
    with av.open(str(clip)) as source, av.open(str(hidden), "w") as output:
        pairs = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if not packet.size:
                continue
            seconds = round(Fraction(1) / packet.time_base)
            packet.pts, packet.dts = packet.pts - seconds, packet.dts - seconds
            packet.stream = pairs[packet.stream_index]
            output.mux(packet)
    video = FileVideo(hidden)
    seen = [read_mark(frame.rgb()) for frame in video.frames()]
    assert seen == list(range(25, 40))
    for suffix in (".mp4", ".mkv"):
        copy(hidden, tmp_path / f"out{suffix}")
        result = FileVideo(tmp_path / f"out{suffix}")
        sound = join_sound(result.sound_blocks())
        assert times(result) == times(video)
        assert result.source.origin < Fraction(1, 20)
        hidden_sound = join_sound(video.sound_blocks())
        assert sound is not None and hidden_sound is not None
        assert sound.duration < Fraction(13, 20)
        assert abs(lag_milliseconds(hidden_sound.samples, sound.samples, RATE)) <= 1.0


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_few_pictures_of_ten_bits_are_written_every_time(tmp_path: Path, count: int) -> None:
    source = make_video(tmp_path / "in.mkv", pictures=MARKS[:count], codec="ffv1", pix_fmt="yuv420p10le")
    for number in range(5):  # x265 gave them any decoding time
        assert copy(source, tmp_path / f"{number}.mp4").codec == "libx265"
        assert times(FileVideo(tmp_path / f"{number}.mp4")) == [Fraction(n, 25) for n in range(count)]


def test_the_last_frame_of_a_steady_clip_lasts_one_step(tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mkv", pictures=MARKS[:30], rate=Fraction(30), sound=tone(1.2, 16_000))
    copy(source, tmp_path / "out.mp4")
    assert FileVideo(tmp_path / "out.mp4").info.frame_rate == 30
