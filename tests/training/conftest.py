"""Prepared clips, made from the demo clip by the data set builder."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import join_sound
from thfem_core.media.writer import write_video
from training.build_dataset import main

FRAMES = 32
REPO = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _workers_find_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes start without pytest's own search path."""
    monkeypatch.setenv("PYTHONPATH", str(REPO))


def write_clip(
    pictures: np.ndarray, path: Path, *, rate: Fraction = Fraction(25), like: FileVideo | None = None
) -> None:
    """(T, H, W, 3) uint8, with the sound of ``like``."""
    video = ArrayVideo(pictures, rate, sound=None if like is None else join_sound(like.sound_blocks()))
    write_video(video.frames(), path, like=video)


@pytest.fixture(scope="session")
def collection(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set as the builder wants it: one person who talks, small, and a clip in which nobody is."""
    folder = tmp_path_factory.mktemp("collection")
    (folder / "crops").mkdir()
    video = FileVideo(demo_clip, duration=Fraction(FRAMES, 25))
    small = np.stack([cv2.resize(frame.rgb(), (224, 224), interpolation=cv2.INTER_AREA) for frame in video.frames()])
    write_clip(small, folder / "crops" / "talking.mp4", like=video)
    write_clip(np.full((30, 64, 64, 3), 90, np.uint8), folder / "crops" / "nobody.mp4")
    rows = ["file,identity,split,has_sound,origin", "talking.mp4,anna,train,1,demo", "nobody.mp4,wall,test,0,demo"]
    (folder / "index.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def built(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the builder makes of it."""
    folder = tmp_path_factory.mktemp("built")
    assert main([str(collection), str(folder), "--workers", "1"]) == 0
    return folder


@pytest.fixture(scope="session")
def prepared(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip as if two people had said it, one of them unseen, both in step with the sound."""
    folder = tmp_path_factory.mktemp("prepared")
    with np.load(built / "talking.npz") as stored:
        arrays = dict(stored)
    for identity, split in (("anna", "train"), ("bert", "val")):
        changes = {"identity": identity, "split": split, "sync": 0.9, "lag": 0}
        np.savez(folder / f"{identity}.npz", **{**arrays, **changes})
        (folder / f"{identity}.regions.npy").hardlink_to(built / "talking.regions.npy")
    return folder


@pytest.fixture(autouse=True)
def fresh_accelerate():
    """accelerate keeps one state per process, and refuses another precision than the first run's."""
    from accelerate.state import AcceleratorState, GradientState

    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
