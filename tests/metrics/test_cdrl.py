"""The paper group's protocol gives the numbers of its published scripts on the same inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from filled_weights import filled, generator, seeded_input

from thfem_core.metrics.cdrl import measures
from thfem_core.metrics.cdrl.network import ResNetFace18
from thfem_core.metrics.cdrl.protocol import ACTORS, EMOTIONS, FRAMES, NED_PUBLISHED, expected_frames
from thfem_core.metrics.frechet import FeatureSpread
from thfem_core.metrics.judges.efficientface.network import EfficientFace
from thfem_core.metrics.judges.syncnet.network import SyncNet

GOLDENS = dict(np.load(Path(__file__).with_name("cdrl_goldens.npz")))
ACTOR_ORDER = ACTORS["mead"]


def waves(name: str, count: int = 1) -> np.ndarray:
    """(count, 256, 256, 3) uint8: a smooth wave per channel with a little noise."""
    random = generator(f"image:{name}")
    y, x = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    planes = np.empty((count, 3, 256, 256))
    for i in range(count):
        for channel in range(3):
            fx, fy, phase = random.uniform(0.02, 0.12), random.uniform(0.02, 0.12), random.uniform(0, 6.28)
            planes[i, channel] = 0.5 + 0.35 * np.sin(fx * x + phase) * np.cos(fy * y - phase)
    planes += 0.05 * random.standard_normal(planes.shape)
    return (np.clip(planes, 0, 1).astype(np.float32) * 255).astype(np.uint8).transpose(0, 2, 3, 1)


def voice(seed: int) -> np.ndarray:
    """(32000,) float32: harmonics of a wobbling pitch, swelling, with noise."""
    n = np.arange(32000)
    phase = 2 * np.pi * np.cumsum(180 + 60 * np.sin(2 * np.pi * 1.5 * n / 16000 + seed)) / 16000
    tone = 0.25 * np.sin(phase) + 0.12 * np.sin(2 * phase) + 0.06 * np.sin(3 * phase)
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 3 * n / 16000 + 2 * seed)
    return (tone * swell + 0.01 * np.random.RandomState(seed).standard_normal(32000)).astype(np.float32)


def test_the_face_network_is_the_published_one() -> None:
    net = filled(ResNetFace18())
    assert len(net.state_dict()) == 181 and sum(p.numel() for p in net.parameters()) == 25_627_081
    with torch.inference_mode():
        found = net(seeded_input("resnetface18.x", (2, 1, 128, 128), "unit") * 2 - 1).numpy()
    # Seventeen convolutions in float32: rounding of another order of summation stays far below 1e-4 of the peak.
    np.testing.assert_allclose(found, GOLDENS["out"], rtol=0, atol=1e-4 * np.abs(GOLDENS["out"]).max())


def test_pictures_are_prepared_to_the_bit() -> None:
    (picture,) = waves("cdrl.img")
    np.testing.assert_array_equal(measures.grey_input(picture), GOLDENS["fad_grey"])
    # The standardisation is one float32 division; its order may move the last bit.
    np.testing.assert_allclose(measures.expression_input(picture)[:, ::16, ::16], GOLDENS["csim_in_slice"], atol=1e-5)


def test_fads_features_and_distance() -> None:
    net = filled(ResNetFace18())
    spread = measures.identity_features(net, waves("cdrl.img"))
    golden = GOLDENS["fad_feat"]
    np.testing.assert_allclose(spread.mean, golden[0], rtol=0, atol=1e-4 * np.abs(golden).max())
    real = generator("cdrl.fad.real.small").standard_normal((300, 24))
    generated = 0.8 * generator("cdrl.fad.gen.small").standard_normal((260, 24)) + 0.1
    assert measures.fad(FeatureSpread.of(generated), FeatureSpread.of(real)) == pytest.approx(
        float(GOLDENS["fad_small"]), rel=1e-9
    )


def test_csim_draws_and_averages_as_published() -> None:
    counts = GOLDENS["csim_n"]
    draws = measures.drawn_pictures([(int(a), int(b)) for a, b in counts.T])
    for actor, pair in enumerate(draws):
        for side, picks in enumerate(pair):
            golden = GOLDENS["csim_index"][actor, side]
            assert picks == golden[golden >= 0].tolist()
    real, generated = (
        [
            seeded_input(f"cdrl.csim.{side}.{actor}", (int(n), 1024), "unit").numpy()
            for actor, n in zip(ACTOR_ORDER, row, strict=True)
        ]
        for side, row in zip(("real", "gen"), counts, strict=True)
    )
    assert measures.csim(real, generated) == pytest.approx(float(GOLDENS["csim"]), abs=1e-6)
    assert measures.csim(real, generated, seed=2) != measures.csim(real, generated)


def test_csims_features_are_efficientfaces() -> None:
    found = measures.expression_features(filled(EfficientFace()), waves("cdrl.img"))
    assert found.shape == (1, 1024) and found.min() >= 0


@pytest.mark.parametrize(("margin", "golden"), [(35, "lse_dist"), (0, "lse_dist_margin0")])
def test_lse_d_of_a_clip(margin: int, golden: str) -> None:
    # The script reads its pictures as blue, green, red; the golden took them so.
    shown = waves("cdrl.lse", 12)[..., ::-1]
    rows = measures.sync_sound(voice(3))
    # The script emphasises high frequencies in float32, this package in float64.
    np.testing.assert_allclose(rows, GOLDENS["lse_mfcc"], rtol=0, atol=1e-4)
    found = measures.lse_d(filled(SyncNet()), shown, voice(3), margin=margin)
    # Resizing by OpenCV differs between its versions by a grey level here and there: 5e-4 of the distance.
    assert found == pytest.approx(float(GOLDENS[golden]), rel=2e-3)
    assert np.isnan(measures.lse_d(filled(SyncNet()), shown[:4], voice(3)))


def test_shifts_reach_ten_frames_either_way() -> None:
    lips = seeded_input("lse.f1", (40, 1024), "normal")
    sounds = torch.roll(lips, 3, 0) + 0.3 * seeded_input("lse.f2", (40, 1024), "normal")
    found = measures.mean_distances(lips.numpy(), sounds.numpy())
    np.testing.assert_allclose(found, GOLDENS["lse_mdist21"], rtol=1e-5)


def test_there_is_a_frame_list_for_every_actor() -> None:
    assert set(FRAMES) == {*ACTORS["mead"], *ACTORS["ravdess"]}


def test_the_frame_lists_have_the_published_lengths() -> None:
    per_emotion = [sum(FRAMES[actor][i] for actor in ACTORS["mead"]) for i in range(len(EMOTIONS))]
    assert (min(per_emotion), max(per_emotion)) == (2262, 3415)
    assert expected_frames("mead", "M003", "happy", "intra") == 346
    assert expected_frames("mead", "M003", "happy", "cross") == 472
    with pytest.raises(ValueError, match="not among the actors"):
        expected_frames("ravdess", "M003", "happy", "intra")
    fads = [rows["mead", "intra"][0] for rows in NED_PUBLISHED.values()]
    assert max(fads) - min(fads) == pytest.approx(1.238)  # of one and the same system
