"""The paper group's protocol on finished results and on published folders, beside our own protocol."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from thfem_core.errors import InputError
from thfem_core.expression.request import EMOTIONS
from thfem_core.metrics.cdrl.models import CdrlNetworks
from training.data.layouts import DatasetClip
from training.evaluation import cdrl
from training.evaluation.cdrl_folders import folder_jobs


class Colours(torch.nn.Module):
    """Stands for a network of 100 MB: mean colours, repeated to the published width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width, self.weight = width, torch.nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1)[:, : self.width * 5 : 5] + 2

    features = lip_features = sound_features = forward


@pytest.fixture(autouse=True)
def _small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    small = CdrlNetworks(identity=Colours(512), expression=Colours(1024), sync=Colours(32))
    monkeypatch.setattr(cdrl, "_networks", lambda models, device: small)


def write_pictures(folder: Path, count: int, seed: int) -> None:
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number:06}.png"), random.integers(0, 256, (256, 256, 3), np.uint8))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for side, count, seed in (("gen", 4, 0), ("real", 5, 9)):
        for number, emotion in enumerate(("neutral", "happy")):
            for actor in ("M003", "W029"):
                write_pictures(tmp_path / side / emotion / actor, count, seed + number)
    return tmp_path / "gen", tmp_path / "real"


def test_published_folders_are_judged(folders: tuple[Path, Path], tmp_path: Path) -> None:
    jobs, notes = folder_jobs(*folders, "mead", "intra", "NED")
    assert [job.emotion for job in jobs] == ["neutral", "happy"]
    assert [list(job.generated) for job in jobs] == [["M003", "W029"]] * 2  # the protocol's order
    assert "neutral/M003: 4 pictures, the protocol has 472" in notes
    rows = [cdrl.measure_emotion(job) for job in jobs]
    assert all(0 < row["fad"] < 1e6 and 0 < row["csim"] <= 1 for row in rows)
    assert notes[0].startswith("no LSE-D: a folder of MEAD joins several clips")
    assert all(np.isnan(row["lse_d"]) for row in rows)
    cdrl.save_numbers(tmp_path, rows)
    cdrl.save_numbers(tmp_path, rows[:1])  # measured again: nothing twice
    assert len(cdrl.read_numbers(tmp_path)) == 2
    table = cdrl.comparison_table(tmp_path, "mead")
    assert table is not None
    text = table.markdown()
    assert "FAD (cdrl)↓" in text and "| intra | NED |" in text
    assert "| intra | NED, printed by CDRL, STCCL | 2.108 | 9.454 | 0.831 |" in text
    assert "| intra | NED, printed by THFEM | 3.346 | 9.768 | 0.834 |" in text


def test_folders_of_ravdess_are_heard_where_the_clip_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """95 pictures of Actor_01's neutral clip by the test list: the first two are left out, as NED's are missing."""
    counts = {("gen", "Actor_01"): 95, ("gen", "Actor_02"): 106, ("gen", "Actor_03"): 9}
    for (side, actor), count in (counts | {("real", actor): 8 for _, actor in counts}).items():
        write_pictures(tmp_path / side / "neutral" / actor, count, 0)
    clips = [
        DatasetClip(actor=actor, emotion="neutral", sentence=sentence, name=f"{actor}_{sentence}", video=tmp_path)
        for actor in ("Actor_01", "Actor_02", "Actor_03")
        for sentence in ("01-01", "02-02")
    ]
    (job,), notes = folder_jobs(tmp_path / "gen", tmp_path / "real", "ravdess", "intra", "x", clips=clips, margin=0)
    found = [(side[0].sound and side[0].sound.name, side[0].skipped) for side in job.generated.values()]
    assert found == [("Actor_01_02-02", 2), ("Actor_02_02-02", 0), (None, 0)]
    assert notes == ["neutral/Actor_03: 9 pictures, the protocol has 104"]

    class Loud:
        samples = np.random.default_rng(0).standard_normal(4 * 16000).astype(np.float32)

    monkeypatch.setattr(cdrl, "speech_of", lambda clip: Loud)
    measured = cdrl.measure_emotion(job)
    assert np.isfinite(measured["lse_d"]) and measured["lse_d"] > 0
    _, notes = folder_jobs(tmp_path / "gen", tmp_path / "real", "ravdess", "intra", "x")
    assert "neutral/Actor_01: no LSE-D, for ROOT lacks the clip of statement 2, repetition 2" in notes


def test_results_are_grouped_by_emotion_and_actor(tmp_path: Path) -> None:
    clips = [
        DatasetClip(actor=actor, emotion=emotion, sentence="1", name=f"{actor}_{emotion}", video=tmp_path / actor)
        for actor in ("M003", "W029")
        for emotion in EMOTIONS
    ]
    folder = tmp_path / "out" / "mesh" / "cross"
    folder.mkdir(parents=True)
    for actor in ("M003", "W029"):
        facts = {"system": "mesh", "setting": "cross", "emotion": "happy", "source_clip": f"{actor}_neutral"}
        (folder / f"{actor}.json").write_text(json.dumps(facts))
    (job,) = cdrl.result_jobs(tmp_path / "out", clips, clips[:3], margin=0)
    assert list(job.generated) == list(job.real) == ["M003", "W029"] and job.margin == 0
    # Compared with the source's own person, not with whom the expression was taken from.
    assert [some[0].path.name for some in job.real.values()] == ["M003", "W029"]
    assert {some[0].skipped for some in job.generated.values()} == {2}
    with pytest.raises(InputError, match="W029 has no real clip with the emotion happy"):
        cdrl.result_jobs(tmp_path / "out", [c for c in clips if c.name != "W029_happy"], clips[:3])


def test_a_video_gives_its_face_at_thirty_per_second(demo_clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = np.arange(50, dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
    monkeypatch.setattr(cdrl, "face_crops", lambda video, device: (frames, None))
    shown = [int(p[0, 0, 0]) for p in cdrl.clip_pictures(cdrl.PictureSource(path=demo_clip), "cpu")]
    assert len(shown) == 60 and shown[:7] == [0, 0, 1, 2, 3, 4, 5] and shown[-1] == 49


def test_what_is_missing_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="share no folder EMOTION/ACTOR"):
        folder_jobs(tmp_path, tmp_path, "mead", "intra", "x")
    with pytest.raises(InputError, match="holds no pictures"):
        list(cdrl.clip_pictures(cdrl.PictureSource(path=tmp_path), "cpu"))
    assert cdrl.comparison_table(tmp_path, "mead") is None
    with pytest.raises(InputError, match="holds no finished result"):
        cdrl.result_jobs(tmp_path, [], [])
    for text in ("{", '{"system": 1}', '[{"system": "NED"}]', "[3]"):
        (tmp_path / "cdrl.json").write_text(text)
        with pytest.raises(InputError, match=r"cdrl\.json is damaged .*; delete it and run"):
            cdrl.comparison_table(tmp_path, "mead")


def test_an_unknown_device_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the networks' own loader
    with pytest.raises(InputError, match="unknown device 'gpu'"):
        cdrl._networks((), "gpu")
