"""Which files are opened, and how pictures are told from clips."""

from __future__ import annotations

import os
import struct
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from heic_material import write_tiled_heic
from media_material import make_video, marked_rgb, smooth_rgb
from PIL import Image, features

from thfem_core.errors import InputError
from thfem_core.media.file_video import FileVideo
from thfem_core.media.open_video import open_video
from thfem_core.media.picture_file import is_still, read_image
from thfem_core.media.sound_file import read_sound
from thfem_core.media.writer import write_video

PICTURES = [marked_rgb(32, 32, n) for n in range(4)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:2,\n{other}\n#EXT-X-ENDLIST\n"),
        ("innocent.mp4", "ffconcat version 1.0\nfile other.mp4\n"),
    ],
)
def test_a_playlist_opens_nothing(name, text, tmp_path):
    make_video(tmp_path / "other.mp4", pictures=PICTURES)
    (tmp_path / name).write_text(text.format(other=tmp_path / "other.mp4"))
    for read in (open_video, read_sound):
        with pytest.raises(InputError, match="playlist"):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["12:30 talk.mp4", "http:/x.mp4", "%d talk.mp4", "file:x.mp4"])
def test_any_name_is_a_file(name, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    make_video(tmp_path / "plain.mp4", pictures=PICTURES).rename(tmp_path / name)
    video = FileVideo(name)
    write_video(video.frames(), f"out {Path(name).name}", like=video)
    assert len(list(FileVideo(f"out {Path(name).name}").frames())) == 4


@pytest.mark.parametrize(
    ("path", "line"),
    [("", "empty"), ("a\0b", "null"), ("x" * 300, "too long"), ("no/such.mp4", "no file"), ("pipe", "pipe")],
)
def test_what_is_no_file_gets_one_line(path, line, tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with pytest.raises(InputError, match=line) as error:
        open_video(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", [".jfif", ".gif", ".png", ".jpg", ".jp2", ".tga", ".whatever"])
def test_any_still_is_one_picture(suffix, tmp_path):
    path = tmp_path / f"photo{suffix}"
    kind = {".jfif": "JPEG", ".jp2": "JPEG2000", ".tga": "TGA", ".whatever": "PNG"}.get(suffix)
    Image.fromarray(smooth_rgb(24, 16)).save(path, format=kind)
    video = open_video(path, frame_rate=Fraction(10))
    (frame,) = video.frames()
    assert video.info.is_still and frame.rgb().shape == (16, 24, 3)
    assert np.abs(frame.rgb().astype(int) - smooth_rgb(24, 16)).mean() < 8


def test_a_picture_of_a_phone_in_tiles_is_read_where_libheif_is_installed(tmp_path, monkeypatch: pytest.MonkeyPatch):
    picture = smooth_rgb(256, 128)
    path = write_tiled_heic(tmp_path / "IMG_0001.HEIC", picture, side=64)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(InputError, match="in tiles, which needs another package; run: pip install pillow-heif"):
        read_image(path)
    monkeypatch.undo()
    pytest.importorskip("pillow_heif")
    video = open_video(path)
    (frame,) = video.frames()
    assert video.info.is_still and frame.rgb().shape == picture.shape
    assert np.abs(frame.rgb().astype(int) - picture).mean() < 3
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(InputError, match="damaged"):
        read_image(path)


@pytest.mark.parametrize("brand", [b"avif", b"msf1"])
def test_an_avif_is_a_picture_whatever_its_brand(brand, tmp_path):
    if not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    path = tmp_path / "photo.avif"
    Image.fromarray(smooth_rgb(24, 16)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[:8] + brand + data[12:])
    video = open_video(path)
    assert video.info.is_still and next(video.frames()).rgb().shape == (16, 24, 3)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_clip_that_is_called_a_picture_is_a_clip(suffix, tmp_path):
    make_video(tmp_path / f"clip{suffix}", pictures=PICTURES)
    path = (tmp_path / f"clip{suffix}").rename(tmp_path / "clip.png")
    assert not is_still(path)
    video = open_video(path)
    assert not video.info.is_still and len(list(video.frames())) == 4


def test_an_animation_is_a_clip(tmp_path):
    first, *rest = [Image.fromarray(picture) for picture in PICTURES]
    first.save(tmp_path / "a.gif", save_all=True, append_images=rest, duration=100)
    video = open_video(tmp_path / "a.gif")
    assert not video.info.is_still and len(list(video.frames())) == 4


def test_a_giant_picture_is_refused_before_it_takes_memory(tmp_path):
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (tmp_path / "giant.png").write_bytes(data)
    with pytest.raises(InputError, match="40000x40000"):
        read_image(tmp_path / "giant.png")


def test_a_damaged_picture_gets_one_line_and_prints_nothing(tmp_path, capfd):
    Image.fromarray(smooth_rgb(64, 64)).save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="damaged"):
        read_image(tmp_path / "a.jpg")
    assert capfd.readouterr() == ("", "")
