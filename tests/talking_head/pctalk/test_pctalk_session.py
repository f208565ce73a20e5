"""PC-Talk as a talking head, on tiny drawing networks: exact properties, and loading."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from liveportrait_material import write_liveportrait
from made_up_track import RATE, MadeUpTrack, talking_face, textured_frames
from pctalk_material import write_pctalk

from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError, WeightsError
from thfem_core.networks.liveportrait.drawing import FaceDrawer
from thfem_core.networks.liveportrait.regions import LIP_ROWS
from thfem_core.registry import Resources
from thfem_core.talking_head.head import AdjacentWindow, FaceClip, FacePatch, talking_heads
from thfem_core.talking_head.pctalk.head import PcTalkTalkingHead

CPU = torch.device("cpu")
COUNT = 40
LANDMARKS = talking_face(COUNT)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pctalk")
    write_liveportrait(folder / "liveportrait", layout="original_pth")
    return write_pctalk(folder)


@pytest.fixture(scope="module")
def head(folder: Path) -> PcTalkTalkingHead:
    return talking_heads.create("pctalk", None, Resources(device=CPU, folders=(folder,)))


def speech(seconds: float = COUNT / 25) -> Speech:
    samples = (0.1 * np.random.default_rng(0).standard_normal(int(16000 * seconds))).astype(np.float32)
    return Speech(samples, level=0.1)


def clip(first: int = 0, **changes: object) -> FaceClip:
    given = {"track": MadeUpTrack(LANDMARKS[first:], first), "speech": speech(), "frame_rate": RATE, "device": CPU}
    return FaceClip(**(given | {"drive": "audio"} | changes))


def drawn(head: PcTalkTalkingHead, *, batch: int = 1, first: int = 0, late: bool = False) -> dict[int, FacePatch | str]:
    """Windows of five frames, predicted as soon as the session allows, or all at the end."""
    frames, session = textured_frames(COUNT), head.open_face(clip(first))
    windows = [
        AdjacentWindow(source=frames[max(start - 1, first)], targets=tuple(frames[start : start + 5]))
        for start in range(first, COUNT, 5)
    ]
    answers: dict[int, FacePatch | str] = {}

    def predict(count: int) -> None:
        for window, row in zip(windows[:count], session.predict(windows[:count]), strict=True):
            answers.update({frame.index: answer for frame, answer in zip(window.targets, row, strict=True)})
        del windows[:count]

    for frame in frames[first:]:
        session.observe(frame)
        while (
            not late
            and len(windows) >= batch
            and (windows[batch - 1].targets[-1].index + session.lookahead <= frame.index)
        ):
            predict(batch)
    while windows:
        predict(min(batch, len(windows)))
    return answers


def test_every_frame_is_drawn_and_the_batch_does_not_matter(head: PcTalkTalkingHead) -> None:
    one, three = drawn(head), drawn(head, batch=3)
    late = drawn(head, batch=8, late=True)
    assert sorted(one) == list(range(COUNT))
    for answers in (three, late):
        for index, patch in one.items():
            assert isinstance(patch, FacePatch) and isinstance(answers[index], FacePatch)
            assert patch.box == answers[index].box
            assert np.abs(patch.rgb.astype(int) - answers[index].rgb).max() <= 1


def test_a_face_that_comes_later(head: PcTalkTalkingHead) -> None:
    answers = drawn(head, first=20)
    assert sorted(answers) == list(range(20, COUNT))


def test_only_the_lips_are_moved(head: PcTalkTalkingHead, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before stitching, which is the same for both pictures."""
    seen = []
    on_device = FaceDrawer.on_device

    def spy(self: FaceDrawer, compute: object, *tensors: torch.Tensor) -> torch.Tensor:
        seen.append(tensors)
        return on_device(self, compute, *tensors)

    monkeypatch.setattr(FaceDrawer, "on_device", spy)
    drawn(head)
    rest = [row for row in range(21) if row not in LIP_ROWS]
    spoken = [points for source, points in seen if not torch.equal(source, points)]
    assert len(spoken) == COUNT
    for source, points in seen:
        torch.testing.assert_close(source[:, rest], points[:, rest], atol=1e-6, rtol=0)


def test_what_it_needs(head: PcTalkTalkingHead, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(InputError, match="this clip has none"):
        head.open_face(clip(speech=None))
    with pytest.raises(InputError, match="knows persons 0 to 202"):
        talking_heads.create("pctalk", {"person": 203}, Resources(device=CPU, folders=(folder,)))
    with pytest.raises(WeightsError, match=r"pctalk-lips: audio_encoder\.pth.*terms of code and weights are unclear"):
        talking_heads.create("pctalk", None, Resources(device=CPU, folders=(tmp_path,)))


def test_another_frame_rate(head: PcTalkTalkingHead) -> None:
    session = head.open_face(clip(frame_rate=Fraction(50)))
    frames = textured_frames(COUNT)
    for frame in frames:
        session.observe(frame)
    (row,) = session.predict([AdjacentWindow(source=frames[0], targets=tuple(frames[:3]))])
    assert all(isinstance(answer, FacePatch) for answer in row)
    assert session.lookahead > 2 * 25
