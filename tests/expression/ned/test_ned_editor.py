"""NED from files of the published layout to edited frames; and what is said where a file is missing or another one."""

from __future__ import annotations

import pickle
import weakref
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from made_up_track import MadeUpTrack, talking_face, textured_frames
from ned_material import as_tensors, head_arrays, write_published_ned

from thfem_core.errors import InputError, WeightsError
from thfem_core.expression.editor import editors
from thfem_core.expression.ned.flame_convert import convert
from thfem_core.expression.ned.renderer import FaceRenderer
from thfem_core.expression.request import ExpressionRequest, RegionStrengths
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.array_video import ArrayVideo
from thfem_core.registry import Resources

CPU = torch.device("cpu")
COUNT = 11


def _video(count: int = COUNT) -> ArrayVideo:
    pictures = np.stack([frame.pixels for frame in textured_frames(count)])
    return ArrayVideo(pictures, Fraction(25))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ned")
    write_published_ned(folder)
    return folder


def edited(folder: Path, request: ExpressionRequest, count: int = COUNT, **options) -> list[np.ndarray]:
    editor = editors.create("ned", options, Resources(device=CPU, folders=(folder,)))
    track = MadeUpTrack(talking_face(count))
    frames = editor.edit(_video(count).frames(), [track], request, frame_rate=Fraction(25), device=CPU)
    return [frame.rgb() for frame in frames]


def test_from_published_files_to_edited_frames(files: Path) -> None:
    source = [frame.rgb() for frame in _video().frames()]
    result = edited(files, ExpressionRequest(emotion="happy"))
    assert len(result) == COUNT
    for before, after in zip(source, result, strict=True):
        changed = (before != after).any(axis=2)
        assert changed.any(), "every frame of the clip is drawn, the first two as well"
        assert not changed[0].any(), "pixels away from the face keep their bits"


def test_a_long_clip_holds_no_more_frames_than_a_short_one(files: Path) -> None:
    editor = editors.create("ned", {}, Resources(device=CPU, folders=(files,)))
    editor._renderer = FaceRenderer(width=8).eval()  # the published one takes a second per frame
    count = 16
    pictures: list[weakref.ref[np.ndarray]] = []
    most = []

    def source() -> Generator[ArrayFrame, None, None]:
        for frame in _video(count).frames():
            pixels = frame.rgb()
            pictures.append(weakref.ref(pixels))
            yield ArrayFrame(index=frame.index, time=frame.time, pixels=pixels)
            del pixels

    track = MadeUpTrack(talking_face(count))
    request = ExpressionRequest(emotion="happy")
    for _ in editor.edit(source(), [track], request, frame_rate=Fraction(25), device=CPU):
        most.append(sum(picture() is not None for picture in pictures))
    assert len(most) == count
    assert max(most) <= 12, "a window of ten frames and the one that is being edited"
    assert max(most[12:]) <= max(most[:12])


def test_strength_0_is_the_source(files: Path) -> None:
    source = [frame.rgb() for frame in _video().frames()]
    result = edited(files, ExpressionRequest(emotion="happy", strength=0.0))
    assert all(np.array_equal(before, after) for before, after in zip(source, result, strict=True))


def test_precomputed_conditions_need_the_renderer_alone(files: Path, tmp_path: Path) -> None:
    for name in ("nmfcs", "eyes", "shapes", "masks"):
        (tmp_path / name).mkdir()
        for index in range(COUNT):
            picture = np.full((256, 256, 3), 255 if name == "masks" else 90 + index, np.uint8)
            cv2.imwrite(str(tmp_path / name / f"{index}.png"), picture)
    renderer = tmp_path / "person.pth"
    torch.save(torch.load(files / "net_G.pth", weights_only=True), renderer)
    result = edited(tmp_path, ExpressionRequest(emotion="neutral"), conditions=tmp_path, renderer=renderer)
    assert len(result) == COUNT
    (tmp_path / "eyes" / "3.png").unlink()
    with pytest.raises(InputError, match=r"different numbers of pictures .*eyes 10"):
        edited(tmp_path, ExpressionRequest(emotion="neutral"), conditions=tmp_path, renderer=renderer)


def test_regions_are_refused(files: Path) -> None:
    with pytest.raises(InputError, match="leave brows, eyes, cheeks and mouth at 1"):
        edited(files, ExpressionRequest(emotion="happy", regions=RegionStrengths(brows=0.5)))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("net_G.pth", r"ned-renderer: .*net_G.pth.* get it from https://github.com/foivospar/NED"),
        ("02_nets_finetuned.pth", r"ned-manipulator: 02_nets_finetuned.pth .* get it from"),
        ("deca_model.tar", r"deca: deca_model.tar is not on this machine; get it from https://deca"),
        ("flame.safetensors", r"flame: flame.safetensors .*needs registration; `models convert flame"),
    ],
)
def test_a_missing_file_is_named_with_its_page(files: Path, tmp_path: Path, name: str, message: str) -> None:
    for file in files.iterdir():
        if file.name != name:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(WeightsError, match=message):
        edited(tmp_path, ExpressionRequest(emotion="happy"))


def test_the_converted_head_is_the_published_one(files: Path) -> None:
    from thfem_core.expression.ned.loading import load_flame

    model, maps = load_flame(files / "flame.safetensors")
    for name, tensor in as_tensors(head_arrays()).items():
        torch.testing.assert_close(getattr(model, name), tensor)
    assert (maps.mask == 1).all() and not maps.displacement.any()


class _Harm:
    def __reduce__(self):
        return (Path.touch, (Path("harm"),))


def test_a_pickle_that_asks_for_more_than_arrays_is_refused(files: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    bad = tmp_path / "generic_model.pkl"
    bad.write_bytes(pickle.dumps({"v_template": _Harm()}))
    with pytest.raises(WeightsError, match="is refused or damaged: it asks for pathlib"):
        convert([bad])
    assert not (tmp_path / "harm").exists()
    with pytest.raises(WeightsError, match=r"FLAME: .*static_faces.* is in none of the files"):
        convert([files / "generic_model.pkl"])


def test_two_orders_of_labels() -> None:
    from thfem_core.expression.ned.condition_sources import LABELS

    assert LABELS["ned"].index("angry") == 1
    assert LABELS["alphabetical"].index("angry") == 0
    assert LABELS["alphabetical"].index("neutral") == 4
