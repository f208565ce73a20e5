"""What a clip is beside its frames: taken over, or named in one line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from media_material import make_video, marked_rgb, tone

from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import join_sound
from thfem_core.media.writer import write_video

RATE = 48_000


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sound tracks, the second of them the default; a chapter, and an attachment."""
    folder = tmp_path_factory.mktemp("rich")
    first = make_video(
        folder / "a.mkv",
        pictures=[marked_rgb(64, 64, n) for n in range(25)],
        options={"bf": "0"},
        sound=tone(1, RATE),
        sound_rate=RATE,
    )
    second = make_video(
        folder / "b.mkv", pictures=[marked_rgb(64, 64, 0)], sound=tone(1, RATE, seed=9), sound_rate=RATE
    )
    with av.open(str(first)) as one, av.open(str(second)) as two, av.open(str(folder / "rich.mkv"), "w") as output:
        sources = (one.streams.video[0], two.streams.audio[0], one.streams.audio[0])
        tracks = [output.add_stream_from_template(source) for source in sources]
        tracks[0].disposition, tracks[1].disposition, tracks[2].disposition = Disposition.default, Disposition(0), 1
        tracks[1].metadata.update(language="fra", title="Commentary")
        tracks[2].metadata["language"] = "eng"
        output.add_attachment("font.ttf", "application/x-truetype-font", b"letters")
        output.set_chapters(
            [{"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}}]
        )
        for source, track in zip(sources, tracks, strict=True):
            container = two if track is tracks[1] else one
            container.seek(0)
            for packet in container.demux(source):
                if packet.size:
                    packet.stream = track
                    output.mux(packet)
    return folder / "rich.mkv"


def copy(source: Path, target: Path) -> list[str]:
    video, told = FileVideo(source), []
    write_video(video.frames(), target, like=video, warn=told.append)
    return told


def test_the_default_track_is_heard(rich):
    heard = join_sound(FileVideo(rich).sound_blocks()).samples[0]

    def likeness(other: np.ndarray) -> float:
        size = 2 * max(len(heard), len(other))
        correlation = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(other, size)))
        return float(np.abs(correlation).max() / (np.linalg.norm(heard) * np.linalg.norm(other)))

    assert likeness(tone(1, RATE)[0]) > 0.8 > 0.3 > likeness(tone(1, RATE, seed=9)[0])


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_tracks_and_chapters_are_kept(suffix, rich, tmp_path):
    told = copy(rich, tmp_path / f"out{suffix}")
    facts = FileVideo(tmp_path / f"out{suffix}").source.facts
    sounds = [track for track in facts.tracks if track.kind == "audio"]
    assert [(track.language, track.is_default) for track in sounds] == [("eng", True), ("fra", False)]
    assert [(chapter.title, chapter.end) for chapter in facts.chapters] == [("One", Fraction(1, 2))]
    if suffix == ".mkv":
        assert told == [] and any(track.kind == "attachment" for track in facts.tracks)
    else:
        assert len(told) == 1 and "attachment" in told[0]


def test_what_webm_cannot_hold_is_named_in_one_line(rich, tmp_path):
    (line,) = copy(rich, tmp_path / "out.webm")
    assert "fra" in line and "attachment" in line


def test_a_timecode_is_kept(tmp_path):
    pictures = [marked_rgb(64, 64, n) for n in range(10)]
    make_video(tmp_path / "t.mov", pictures=pictures, metadata={"timecode": "01:02:03:04"})
    assert FileVideo(tmp_path / "t.mov").source.facts.timecode == "01:02:03:04"
    assert copy(tmp_path / "t.mov", tmp_path / "out.mov") == []
    assert FileVideo(tmp_path / "out.mov").source.facts.timecode == "01:02:03:04"


def test_deep_clips_become_h265_that_phones_know(tmp_path):
    clip = make_video(
        tmp_path / "a.mkv", pictures=[marked_rgb(64, 64, n) for n in range(5)], pix_fmt="yuv420p10le", codec="libx265"
    )
    copy(clip, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.codec_tag, context.pix_fmt) == ("hevc", "hvc1", "yuv420p10le")


def test_hdr10_metadata_is_kept(tmp_path):
    display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    clip = make_video(
        tmp_path / "a.mp4",
        pictures=[marked_rgb(64, 64, n) for n in range(5)],
        pix_fmt="yuv420p10le",
        codec="libx265",
        options={"x265-params": f"master-display={display}:max-cll=1000,400:log-level=none"},
    )
    facts = FileVideo(clip).source.facts
    assert (facts.mastering_display, facts.light_level) == (display, "1000,400")
    assert copy(clip, tmp_path / "out.mp4") == []
    facts = FileVideo(tmp_path / "out.mp4").source.facts
    assert (facts.mastering_display, facts.light_level) == (display, "1000,400")


def test_six_channels_stay_six(tmp_path):
    import thfem_core.media.sound as sounds
    from thfem_core.media.array_video import ArrayVideo

    samples = np.stack([tone(0.5, RATE, seed=n)[0] for n in range(6)])
    video = ArrayVideo(np.zeros((12, 32, 32, 3), np.uint8), Fraction(25), sound=sounds.Sound(samples, RATE))
    write_video(video.frames(), tmp_path / "out.mp4", like=video)
    heard = join_sound(FileVideo(tmp_path / "out.mp4").sound_blocks())
    assert heard.layout == "5.1" and len(heard.samples) == 6


def test_why_a_file_does_not_play_everywhere_is_said(tmp_path):
    clip = make_video(tmp_path / "a.mkv", pictures=[marked_rgb(64, 64, 1)] * 3, pix_fmt="yuv444p")
    (line,) = copy(clip, tmp_path / "out.mp4")
    assert "do not play" in line
    assert copy(clip, tmp_path / "out.mkv") == []
