"""The measuring networks are the published ones: same keys and shapes, same numbers from the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from filled_weights import filled, layout_digest, seeded_input

from thfem_core.metrics.judges.arcface.network import IResNet50
from thfem_core.metrics.judges.efficientface.network import EfficientFace
from thfem_core.metrics.judges.syncnet.network import SyncNet
from thfem_core.metrics.judges.wav2lip.network import Wav2LipExpert

GOLDENS = dict(np.load(Path(__file__).with_name("goldens.npz")))
NETWORKS = {
    "syncnet_v2": (SyncNet, 13_631_616),
    "wav2lip_syncnet": (Wav2LipExpert, 16_435_072),
    "iresnet50": (IResNet50, 43_590_848),
    "efficientface": (EfficientFace, 1_275_293),
}


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.inference_mode():
        yield


def assert_golden(name: str, found: torch.Tensor) -> None:
    """Within 1e-4 of the largest entry of the whole output, of which every fourth number is stored."""
    wanted = GOLDENS[name]
    peak = GOLDENS.get(f"{name}.peak", np.abs(wanted).max())
    step = 1 if f"{name}.peak" not in GOLDENS else 4
    np.testing.assert_allclose(found.numpy()[..., ::step], wanted, rtol=0, atol=1e-4 * float(peak))


@pytest.mark.parametrize("name", NETWORKS)
def test_official_checkpoints_fit_strictly(name: str) -> None:
    make, parameters = NETWORKS[name]
    with torch.device("meta"):
        net = make()
    assert len(net.state_dict()) == GOLDENS[f"{name}.keys"]
    assert layout_digest(net) == str(GOLDENS[f"{name}.layout"])
    assert sum(p.numel() for p in net.parameters()) == parameters


def test_syncnet() -> None:
    net = filled(SyncNet())
    lips = seeded_input("syncnet_v2.lip", (1, 3, 5, 224, 224), "byte")
    sound = seeded_input("syncnet_v2.aud", (3, 1, 13, 20), "normal") * 10
    assert_golden("syncnet_v2.lip_out", net.lip_features(lips))
    assert_golden("syncnet_v2.lipfeat_out", net.lip_convolutions(lips))
    assert_golden("syncnet_v2.aud_out", net.sound_features(sound))
    longer = torch.cat([lips, lips.flip(2)], dim=2)[:, :, :7]
    windows = torch.cat([longer[:, :, i : i + 5] for i in range(3)])
    torch.testing.assert_close(net.lip_features(longer), net.lip_features(windows), rtol=1e-4, atol=1e-3)


def test_wav2lip_expert() -> None:
    sound, face = filled(Wav2LipExpert())(
        seeded_input("wav2lip_syncnet.mel", (2, 1, 80, 16), "normal"),
        seeded_input("wav2lip_syncnet.face", (2, 15, 48, 96), "unit"),
    )
    assert_golden("wav2lip_syncnet.audio_emb", sound)
    assert_golden("wav2lip_syncnet.face_emb", face)
    cosine = (sound * face).sum(dim=1)
    assert_golden("wav2lip_syncnet.cosine", cosine)
    assert_golden("wav2lip_syncnet.paper_eq7", -cosine.clamp_min(1e-8).log())


def test_arcface() -> None:
    assert_golden("iresnet50.out", filled(IResNet50())(seeded_input("iresnet50.x", (2, 3, 112, 112), "unit") * 2 - 1))


def test_efficientface() -> None:
    net, x = filled(EfficientFace()), seeded_input("efficientface.x", (2, 3, 224, 224), "normal")
    assert_golden("efficientface.logits", net(x))
    assert_golden("efficientface.feat1024", net.features(x))
    stem = net.maxpool(net.conv1(x))
    assert_golden("efficientface.local_mean", net.local(stem).mean(dim=(2, 3)))
    assert_golden("efficientface.modulator_mean", net.modulator(net.stage2(stem)).mean(dim=(2, 3)))
