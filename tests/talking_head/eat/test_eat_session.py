"""EAT through a clip: caching, batching, timing, faults. The generator is a quick stand-in; everything else is real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from moving_face import MovingTrack, assert_same_patches, clip, predicted
from torch import Tensor, nn

from thfem_core.errors import InputError, WeightsError
from thfem_core.networks.appearance_volume import SourceAppearance
from thfem_core.registry import Resources
from thfem_core.talking_head.eat import head as eat_head
from thfem_core.talking_head.eat.back_end import EatOptions
from thfem_core.talking_head.eat.convert import convert
from thfem_core.talking_head.eat.head import EatTalkingHead
from thfem_core.talking_head.eat.networks import EatNetworks, load_eat, read_constants
from thfem_core.talking_head.head import FacePatch, OwnsNetworks

LOGITS = np.random.default_rng(4).standard_normal((50, 29)).astype(np.float32)


class TintingGenerator(nn.Module):
    """The source picture, tinted by where the keypoints went; counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded = self.drawn = 0
        self.moves: list[Tensor] = []

    def encode(self, images: Tensor, emotion: Tensor) -> SourceAppearance:
        self.encoded += len(images)
        return SourceAppearance(volume=images, compressed=emotion.expand(len(images), -1))

    def forward(self, appearance: SourceAppearance, source: Tensor, driving: Tensor) -> Tensor:
        self.drawn += len(driving)
        self.moves += list(driving - source)
        tint = torch.sigmoid((driving - source).std(dim=1) + appearance.compressed[:, :3])
        return appearance.volume * tint[..., None, None]

    def accelerate(self) -> None:
        pass


@pytest.fixture
def head(eat: EatNetworks, monkeypatch: pytest.MonkeyPatch) -> EatTalkingHead:
    monkeypatch.setitem(eat._modules, "generator", TintingGenerator())
    return EatTalkingHead(eat, lambda speech: LOGITS)


def test_windows_in_one_call_or_many(head: EatTalkingHead, eat: EatNetworks) -> None:
    track = MovingTrack(5, absent=frozenset({3}))
    single = predicted(head.open_face(clip(track)), track, size=2, batch=1)
    # The first frame draws itself and is a source again: encoded once.
    assert eat.generator.encoded == len(single) - 1
    assert eat.generator.drawn == 4
    joined = predicted(head.open_face(clip(track)), track, size=2, batch=10)
    assert_same_patches(joined, single)
    assert all(isinstance(patch, FacePatch) and patch.alpha.max() == 1 for patches in single for patch in patches)


def test_lips_follow_the_sound_and_emotions_change_the_face(head: EatTalkingHead, eat: EatNetworks) -> None:
    track = MovingTrack(1)

    def moves(talking: EatTalkingHead, opened) -> Tensor:
        eat.generator.moves.clear()
        predicted(talking.open_face(opened), track, size=1, batch=1)
        return torch.stack(eat.generator.moves)

    quiet = moves(head, clip(track))
    assert torch.equal(moves(head, clip(track)), quiet)
    assert not torch.allclose(moves(EatTalkingHead(eat, lambda speech: 3 * LOGITS), clip(track)), quiet)
    happy = moves(EatTalkingHead(eat, lambda speech: LOGITS, options=EatOptions(emotion="happy")), clip(track))
    assert not torch.allclose(happy, quiet)


def test_what_is_kept_does_not_grow(head: EatTalkingHead) -> None:
    track = MovingTrack(3)
    session = head.open_face(clip(track))
    predicted(session, track, size=1, batch=1)
    assert len(session._sources) == 2
    assert len(session._poses) == 3
    assert session._tokens
    session._poses |= {1000: session._poses[2]}
    session._forget(1000)
    assert not session._tokens
    assert list(session._poses) == [1000]


def test_the_host_can_hold_its_networks(head: EatTalkingHead) -> None:
    assert isinstance(head, OwnsNetworks)
    assert head.drives == ("audio",)
    with pytest.raises(InputError, match="this clip has none"):
        head.open_face(clip(MovingTrack(2), speech=False))


@pytest.mark.parametrize("wrong", [{"emotion": "bored"}, {"timing": "late"}])
def test_choices_are_checked(wrong: dict) -> None:
    with pytest.raises(InputError, match=r"bored|late"):
        EatOptions(**wrong)


def test_missing_files_are_named(tmp_path: Path, eat_files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THFEM_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(WeightsError, match=r"eat\.safetensors or .*checkpoint.* CC BY-NC 4\.0"):
        eat_head.load(EatOptions(), Resources(folders=(tmp_path,)))
    with pytest.raises(WeightsError, match=r"U_mead\.npy is missing"):
        load_eat([eat_files[0], eat_files[2]])
    np.save(tmp_path / "U_mead.npy", np.zeros(3))
    with pytest.raises(WeightsError, match=r"shape \(3,\), not \(45, 45\)"):
        read_constants([tmp_path / "U_mead.npy"])


def test_conversion_keeps_every_published_tensor(eat_files: list[Path]) -> None:
    from filled import manifests

    done: list[int] = []
    converted = convert(eat_files, progress=lambda stage, number, total: done.append(number))
    expected = {
        f"{name}.{key}": shape
        for name in (
            "kp_detector",
            "he_estimator",
            "emotionprompt",
            "audio2kptransformer",
            "sidetuning",
            "generator",
            "discriminator",
        )
        for key, shape in manifests()[f"eat_{name}"]["keys"].items()
    }
    assert {k: list(t.shape) for k, t in converted.tensors.items() if not k.startswith("constants.")} == expected
    assert converted.tensors["constants.basis"].shape == (45, 45)
    assert converted.card["networks"]["generator"] == 100_989_012
    assert done == list(range(1, 8))
