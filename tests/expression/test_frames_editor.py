from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from thfem_core.errors import InputError
from thfem_core.expression.editor import editors
from thfem_core.expression.request import ExpressionRequest
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.frame import Frame

REQUEST = ExpressionRequest(emotion="happy")


def grey_batch(values: list[int], height: int = 24, width: int = 32) -> np.ndarray:
    return np.stack([np.full((height, width, 3), value, np.uint8) for value in values])


def edit(source, edited) -> Iterator[Frame]:
    editor = editors.create("frames", {"edited_frames": edited})
    frames = source.frames()
    return editor.edit(frames, [], REQUEST, frame_rate=source.info.frame_rate, device=torch.device("cpu"))


@pytest.fixture()
def variable_clip(tmp_path: Path) -> FileVideo:
    """Three frames at 0, 40 and 500 ms."""
    with av.open(str(tmp_path / "source.mkv"), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for ticks, pixels in zip((0, 40, 500), grey_batch([10, 20, 30]), strict=True):
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            picture.pts, picture.time_base = ticks, Fraction(1, 1000)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return FileVideo(tmp_path / "source.mkv")


def test_edited_frames_take_the_place_of_the_source_and_keep_its_times(variable_clip: FileVideo) -> None:
    result = list(edit(variable_clip, ArrayVideo(grey_batch([100, 150, 200]), Fraction(25))))
    assert [frame.time for frame in result] == [0, Fraction(1, 25), Fraction(1, 2)]
    assert [frame.index for frame in result] == [0, 1, 2]
    assert [round(float(frame.rgb().mean())) for frame in result] == [100, 150, 200]
    assert {frame.layout.name for frame in result} == {"yuv420p"}


def test_a_folder_of_another_size_is_scaled(variable_clip: FileVideo, tmp_path: Path) -> None:
    folder = tmp_path / "edited"
    folder.mkdir()
    for number, value in enumerate((100, 150, 200)):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((48, 64, 3), value, np.uint8))
    result = list(edit(variable_clip, folder))
    assert [round(float(frame.rgb().mean())) for frame in result] == [100, 150, 200]
    assert {(frame.width, frame.height) for frame in result} == {(32, 24)}


def test_another_shape_is_refused(variable_clip: FileVideo) -> None:
    with pytest.raises(InputError, match=r"32x32, another shape than the source's 32x24"):
        list(edit(variable_clip, ArrayVideo(grey_batch([1, 2, 3], height=32), Fraction(25))))


@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_another_number_of_frames_is_refused_with_both_numbers(variable_clip: FileVideo, count: int) -> None:
    with pytest.raises(InputError, match=f"the source has 3 frames but images has {count};"):
        list(edit(variable_clip, ArrayVideo(grey_batch([50] * count), Fraction(25))))


def test_closing_frees_both_clips(variable_clip: FileVideo) -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open files cannot be listed on this system")
    before = len(list(folder.iterdir()))
    frames = edit(variable_clip, variable_clip)
    next(frames)
    frames.close()
    assert len(list(folder.iterdir())) <= before
