"""The motion network and how it is trained: windows, resume, and that it learns what it is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from thfem_core.errors import InputError
from thfem_core.metrics.judges.thfem_sync.back_end import THFEM_SYNC
from thfem_core.talking_head.mouth.coefficients import MouthBasis, load_mouth_basis
from thfem_core.talking_head.mouth.motion import MotionConfig, MotionNet
from thfem_core.weights.store import locate_file
from training.config import DataConfig, LoopConfig
from training.data.clips import load_clips
from training.loop import make_accelerator, train
from training.phonetic.phones import PHONES, SILENCE, mouth_shapes, phone_number
from training.phonetic.voices import Voices
from training.stages import delay
from training.stages.motion import MotionStage, MotionStageConfig
from training.stages.synchrony import is_in_step

_SMALL = MotionConfig(width=24, dropout=0.1)
_FRAMES = 80


def _net(config: MotionConfig = _SMALL) -> MotionNet:
    torch.manual_seed(0)
    return MotionNet(config).eval()


def _tone(loudness: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Noise whose loudness (T,) changes 25 times a second → int16 at 16 kHz."""
    level = np.interp(np.arange(640 * len(loudness)) / 640, np.arange(len(loudness)), loudness)
    return (level * rng.standard_normal(len(level)) * 6000).clip(-32768, 32767).astype(np.int16)


def _write_clip(path: Path, split: str, seed: int, basis: MouthBasis, identity: str) -> None:
    """A mouth whose first coefficient follows the loudness of its sound."""
    rng = np.random.default_rng(seed)
    loudness = np.convolve(rng.uniform(0, 1, _FRAMES + 8), np.ones(9) / 9, "valid") * 2 - 0.7
    coefficients = np.zeros((_FRAMES, basis.size), np.float32)
    coefficients[:, 0] = 4 * basis.spread[0] * loudness
    shapes = basis.mean + basis.displacement(coefficients)
    np.savez(
        path,
        identity=identity,
        split=split,
        origin="made",
        landmarks=(2 * shapes + 200).astype(np.float32),
        speech=_tone(loudness.clip(0.02, None), rng),
        sync=0.9,
        lag=0,
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, basis = tmp_path_factory.mktemp("prepared"), load_mouth_basis()
    for i in range(3):
        _write_clip(folder / f"a{i}.npz", "train", i, basis, f"person-{i}")
    _write_clip(folder / "b.npz", "val", 9, basis, "other")
    return folder


@pytest.fixture(scope="module")
def phonetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    phones = np.repeat(rng.integers(0, 3, 40), 10)
    mel = np.eye(80)[10 * phones] * 3 + rng.normal(0, 0.1, (400, 80))
    path = tmp_path_factory.mktemp("phonetic") / "phones.npz"
    np.savez(
        path,
        mel=mel.astype(np.float16),
        phones=phones.astype(np.int8),
        shapes=np.stack([phones / 2] * 3, axis=1).astype(np.float16),
        lengths=np.array([150, 250]),
        speakers=np.array(["one", "two"]),
    )
    return path


def _task(prepared: Path, steps: int, *, adjacent: bool = True, window: int = 5, **changes: object) -> MotionStage:
    config = MotionStageConfig(
        data=DataConfig(prepared=str(prepared), adjacent=adjacent, window=window),
        loop=LoopConfig(steps=steps, batch=4, lr=3e-3, warmup=2, log_every=1, validate_every=1000),
        network=_SMALL,
        segment=24,
        **changes,  # type: ignore[arg-type]
    )
    torch.manual_seed(0)
    return MotionStage(config, load_mouth_basis())


def _train(task: MotionStage, folder: Path, stop_after: int | None = None) -> dict[str, torch.Tensor]:
    train(
        task,
        task.config.loop,
        folder,
        accelerator=make_accelerator(task, task.config.loop, cpu=True),
        stop_after=stop_after,
    )
    return {name: value.clone() for name, value in task.network.state_dict().items()}


def test_window_by_window_is_the_sound_in_one_piece() -> None:
    net, moments = _net(), 6
    columns = torch.randn(2, net.config.steps + 4 * (moments - 1), net.config.mels)
    style = torch.randn(2, 2 * net.config.coefficients)
    whole = net.encode_speech(columns, style)
    assert whole.shape == (2, moments, 2, net.config.coefficients)
    for t in range(moments):
        window = net.encode_speech(columns[:, 4 * t : 4 * t + net.config.steps], style)
        torch.testing.assert_close(window[:, 0], whole[:, t], atol=1e-5, rtol=1e-4)


def test_a_wide_speaker_moves_further_for_the_same_sound() -> None:
    net = _net()
    columns = torch.randn(1, net.config.steps, net.config.mels)
    usual, wide = (net.encode_speech(columns, torch.full((1, 2 * net.config.coefficients), m)) for m in (0.0, 0.7))
    assert torch.all(wide.abs() >= usual.abs())
    assert float((wide / usual).detach().median()) > 1.3


def test_the_same_moment_changes_only_towards_what_is_heard() -> None:
    net = _net()
    heard = torch.randn(3, 2, net.config.coefficients)
    resting = -heard[:, 1]  # the source mouth is where the sound says it should be
    change = net.change(heard, heard, torch.zeros(3, dtype=torch.long), resting)
    torch.testing.assert_close(change, torch.zeros_like(change))


def test_ten_steps_are_five_and_five_more(prepared: Path, phonetic: Path, tmp_path: Path) -> None:
    recipe = {"phonetic": str(phonetic), "phonetic_first": 0.3}
    straight = _train(_task(prepared, 10, **recipe), tmp_path / "straight")
    _train(_task(prepared, 10, **recipe), tmp_path / "halved", stop_after=5)
    resumed = _train(_task(prepared, 10, **recipe), tmp_path / "halved")
    for name, value in straight.items():
        assert torch.equal(value, resumed[name]), name


def test_learns_a_mouth_that_follows_loudness(prepared: Path, tmp_path: Path) -> None:
    task = _task(prepared, 60)
    task.network.eval()
    before = task.validate()
    _train(task, tmp_path / "run")
    task.network.eval()
    after = task.validate()
    assert after["lip"] < 0.8 * before["lip"]
    assert after["lip"] < 0.8 * after["copy_lip"]
    assert after["aperture"] > after["copy_aperture"] + 0.1


def test_phones_come_first_and_are_learned(prepared: Path, phonetic: Path, tmp_path: Path) -> None:
    task = _task(prepared, 40, phonetic=str(phonetic), phonetic_first=1.0)
    batch = task.draw(np.random.default_rng(0), 4)
    first = {name: float(value.detach()) for name, value in task.network.train()(batch, 0.0).losses.items()}
    assert "lip" not in first and first["all"] == 0
    heads = task.network.net.heads.weight.clone()
    _train(task, tmp_path / "run")
    last = {name: float(value.detach()) for name, value in task.network.train()(batch, 0.0).losses.items()}
    assert last["phone"] < 0.7 * first["phone"] and last["shape"] < first["shape"]
    assert torch.allclose(heads, task.network.net.heads.weight, atol=1e-2)  # only weight decay touched it
    assert "lip" in task.network(batch, 1.0).losses


def test_clips_that_the_expert_is_sure_of_are_brought_in_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    basis = load_mouth_basis()
    for i, split in enumerate(("train", "train", "val")):
        _write_clip(tmp_path / f"{i}.npz", split, i, basis, f"person-{i}")
    with np.load(tmp_path / "1.npz") as stored:
        late = {**{name: stored[name] for name in stored.files}, "lag": 7}
    np.savez(tmp_path / "1.npz", **late)
    assert [clip.clip.identity for clip in _task(tmp_path, 1).clips] == ["person-0"]
    monkeypatch.setattr(delay, "clip_cosines", lambda expert, clip, window: torch.eye(30).roll(4, dims=1))
    sure, unsure = (_task(tmp_path, 1, expert=str(locate_file(THFEM_SYNC)), agreement=a).clips for a in (0.5, 1.5))
    assert [clip.clip.identity for clip in unsure] == ["person-0"]
    _, second = sure
    assert second.clip.identity == "person-1"
    (whole,) = (
        clip for clip in load_clips(DataConfig(prepared=str(tmp_path)), "train", basis, keep=lambda c: c.lag == 7)
    )
    np.testing.assert_array_equal(second.mel[:-16], whole.mel[16:])


def test_the_expert_judges_windows_in_a_row(prepared: Path) -> None:
    task = _task(prepared, 1, expert=str(locate_file(THFEM_SYNC)), sync=0.5, far=0.0)
    losses = task.network.train()(task.draw(np.random.default_rng(0), 3), 0.0).losses
    assert 0 < float(losses["sync"].detach()) < 5
    losses["sync"].backward()
    assert float(task.network.net.heads.weight.grad.abs().sum()) > 0
    assert not any("expert" in name for name in task.network.state_dict())
    for changes in ({"far": 1.0}, {"far": 0.0, "adjacent": False}):  # windows that do not follow each other
        apart = _task(prepared, 1, expert=str(locate_file(THFEM_SYNC)), **changes)
        assert "sync" not in apart.network.train()(apart.draw(np.random.default_rng(0), 3), 0.0).losses


def test_a_window_longer_than_half_a_segment_has_few_sources(prepared: Path) -> None:
    """Of 24 frames, four have twenty after them; the expert hears one window of those."""
    task = _task(prepared, 1, window=20, expert=str(locate_file(THFEM_SYNC)), sync=0.5, far=0.0)
    batch = task.draw(np.random.default_rng(0), 1)
    for seed in range(12):
        torch.manual_seed(seed)
        assert float(task.network(batch, 0.0).losses["sync"].detach()) > 0


def test_the_sources_mouth_counts_less_the_farther_the_target_is() -> None:
    net = _net()
    nothing = torch.zeros(3, 2, net.config.coefficients)
    pull = torch.ones(3, net.config.coefficients)
    near, middle, far = net.change(nothing, nothing, torch.tensor([1, -5, 500]), pull)
    assert torch.all((near > 0) & (near < 0.3) & (near < middle) & (middle < far) & (far < 1))


@pytest.mark.parametrize(
    ("correlations", "expected"),
    [
        ([0, 0.1, 0.2, 0.4, 0.6, 0.4, 0.2, 0.1, 0], True),
        ([0, 0.1, 0.2, 0.3, 0.3, 0.4, 0.6, 0.3, 0], False),  # two frames late
        ([0.58, 0.5, 0.4, 0.4, 0.6, 0.4, 0.4, 0.5, 0.58], False),  # as good a syllable away
        ([0, 0, 0, 0.1, 0.2, 0.1, 0, 0, 0], False),
    ],
)
def test_in_step_is_a_clear_peak_in_the_middle(correlations: list[float], expected: bool) -> None:
    assert is_in_step(np.array(correlations)) is expected


def test_missing_phonetic_speech_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"training\.phonetic\.build"):
        Voices.load(tmp_path / "none.npz")


def test_rare_speakers_are_heard_more_than_their_share(phonetic: Path) -> None:
    voices = Voices.load(phonetic)
    assert [len(voice.mel) for voice in voices.utterances] == [150, 250]
    assert voices.weights[0] > 150 / 400
    rng = np.random.default_rng(0)
    for _ in range(50):
        voice, begin = voices.draw(rng, 200)
        assert min(0, len(voice.mel) - 200) <= begin <= max(0, len(voice.mel) - 200)


def test_phones_have_one_name_in_every_alphabet() -> None:
    assert PHONES[SILENCE] == "SIL"
    assert len(set(PHONES)) == len(PHONES) == 40
    assert phone_number("AH0") == phone_number("ax", "festival")
    assert phone_number("pau", "festival") == phone_number("???") == SILENCE


def test_lips_close_for_m_and_round_for_w() -> None:
    numbers = np.array([phone_number(name) for name in ("AA", "M", "AA", "W", "IY")])
    shapes = mouth_shapes(np.arange(6) * 12.0, numbers, 60)
    gap, wide, tuck = shapes.T
    assert gap[12:24].min() < 0.25 < 0.8 < gap[:12].max()
    assert wide[36:48].min() < -0.7 and wide[50:].max() > 0.6
    assert tuck.max() == 0
