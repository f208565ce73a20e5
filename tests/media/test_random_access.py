"""Frames by their numbers, and telling clips apart."""

from __future__ import annotations

import io
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.identity import clip_identity
from thfem_core.media.random_access import RandomAccess
from thfem_core.media.writer import write_video


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("part", [(Fraction(0), None), (Fraction(1), Fraction(2))], ids=["whole", "part"])
def test_frames_are_those_of_a_pass_over_the_file(demo_clip: Path, tmp_path: Path, suffix: str, part) -> None:
    path = demo_clip
    if suffix != ".mp4":
        path, source = tmp_path / f"clip{suffix}", FileVideo(demo_clip)
        write_video(source.frames(), path, like=source)
    video = FileVideo(path, start=part[0], duration=part[1])
    frames = list(video.frames())
    access = RandomAccess(video)
    assert list(access.times) == [frame.time for frame in frames]
    for first, stop in ((0, 3), (17, 18), (len(frames) - 2, len(frames) + 5), (30, 34)):
        read = access.read(first, stop)
        expected = frames[first:stop]
        assert [(frame.index, frame.time) for frame in read] == [(frame.index, frame.time) for frame in expected]
        for ours, theirs in zip(read, expected, strict=True):
            np.testing.assert_array_equal(ours.rgb(), theirs.rgb())


def test_a_file_without_an_index_is_read_through(demo_clip: Path, tmp_path: Path) -> None:
    path, source = tmp_path / "clip.mp4", FileVideo(demo_clip, duration=Fraction(1, 2))
    write_video(source.frames(), path, like=source)
    damaged = bytearray(path.read_bytes())
    middle = len(damaged) // 3
    damaged[middle : middle + 400] = bytes(400)
    video = FileVideo(io.BytesIO(bytes(damaged)))
    count = sum(1 for _ in video.frames())
    read = RandomAccess(video).read(0, count)
    assert [frame.index for frame in read] == list(range(len(read))) and len(read) >= 1


def test_images_are_at_hand() -> None:
    images = torch.rand(4, 8, 8, 3)
    access = RandomAccess(ArrayVideo(images, Fraction(10)))
    assert list(access.times) == [Fraction(n, 10) for n in range(4)]
    assert access.at(Fraction(1, 4)) == 2
    np.testing.assert_array_equal(access.read(2, 3)[0].pixels, images[2].numpy())  # type: ignore[attr-defined]


def test_the_same_file_is_the_same_clip_until_it_is_written_again(demo_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(demo_clip.read_bytes())
    before = clip_identity(FileVideo(path))
    assert before is not None and before == clip_identity(FileVideo(path))
    assert before != clip_identity(FileVideo(path, duration=Fraction(1)))
    os.utime(path, ns=(1, 1))
    assert before != clip_identity(FileVideo(path))
    data = demo_clip.read_bytes()
    assert clip_identity(FileVideo(io.BytesIO(data))) == clip_identity(FileVideo(io.BytesIO(data)))


def test_images_are_the_same_clip_until_they_are_changed_or_freed() -> None:
    images = torch.rand(2, 8, 8, 3)
    before = clip_identity(ArrayVideo(images, Fraction(25)))
    assert before == clip_identity(ArrayVideo(images, Fraction(25)))
    assert before != clip_identity(ArrayVideo(images, Fraction(30)))
    assert before != clip_identity(ArrayVideo(images.clone(), Fraction(25)))
    with torch.inference_mode():  # as hosts work; nobody counts changes there
        made = torch.rand(2, 8, 8, 3)
    assert clip_identity(ArrayVideo(made, Fraction(25))) == clip_identity(ArrayVideo(made, Fraction(25)))
    images[0] = 0
    assert before != clip_identity(ArrayVideo(images, Fraction(25)))
