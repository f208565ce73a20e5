"""Fréchet distance, cosines and synchrony: stored references, exact cases, and any split into blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch
from filled_weights import generator, seeded_input
from hypothesis import given, settings
from hypothesis import strategies as st

from thfem_core.errors import InputError
from thfem_core.metrics.cosine import DirectionMean, paired_cosine
from thfem_core.metrics.frechet import FeatureSpread, frechet_distance, unit_rows
from thfem_core.metrics.sync import MAX_SHIFT, SyncCurve, window_distances

GOLDENS = np.load(Path(__file__).with_name("goldens.npz"))


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return frechet_distance(FeatureSpread.of(a), FeatureSpread.of(b))


def by_matrix_root(a: np.ndarray, b: np.ndarray) -> float:
    """The usual form of FID, in float64."""
    s, t = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(s @ t).real
    return float(np.square(a.mean(0) - b.mean(0)).sum() + np.trace(s + t - 2 * root))


@pytest.mark.parametrize(("name", "n", "m", "width"), [("full_rank", 400, 300, 32), ("rank_deficient", 40, 30, 64)])
def test_frechet_agrees_with_the_references(name: str, n: int, m: int, width: int) -> None:
    a = generator(f"fad.A.{name}").standard_normal((n, width))
    b = 0.7 * generator(f"fad.B.{name}").standard_normal((m, width)) + 0.2
    assert distance(a, b) == pytest.approx(float(GOLDENS[f"frechet.{name}_nuclear"]), rel=1e-9)
    assert distance(a, b) == pytest.approx(float(GOLDENS[f"frechet.{name}_sqrtm"]), rel=1e-6)
    assert distance(a, b) == pytest.approx(by_matrix_root(a, b), rel=1e-6)


@given(seed=st.integers(0, 999), rows=st.integers(2, 12), width=st.integers(1, 20), cut=st.integers(0, 12))
@settings(max_examples=40, deadline=None)
def test_frechet_does_not_see_blocks_order_rotation_or_shift(seed: int, rows: int, width: int, cut: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(rows, width)), 2 * random.normal(size=(rows + 3, width)) + 1
    found = distance(a, b)
    blocks = FeatureSpread.of(a[:cut]).updated(a[cut:])
    assert frechet_distance(blocks, FeatureSpread.of(b)) == pytest.approx(found, rel=1e-8, abs=1e-8)
    turn, _ = np.linalg.qr(random.normal(size=(width, width)))
    assert distance(a[::-1] @ turn + 5, b @ turn + 5) == pytest.approx(found, rel=1e-6, abs=1e-6)
    assert distance(b, a) == pytest.approx(found, rel=1e-8, abs=1e-8)


def test_frechet_is_exact_where_few_frames_make_the_covariance_singular() -> None:
    a = np.random.default_rng(0).normal(size=(6, 512)) * 30
    assert distance(a, a) == pytest.approx(0.0, abs=1e-7)
    assert distance(a, a + 0.5) == pytest.approx(512 * 0.25, rel=1e-9)
    # Scaled about its mean by 2, the root of the product of covariances is 2 Σ.
    scaled = a.mean(0) + 2 * (a - a.mean(0))
    assert distance(a, scaled) == pytest.approx(np.trace(np.cov(a, rowvar=False)), rel=1e-9)


def test_frechet_leaves_out_frames_without_a_face_and_refuses_too_few() -> None:
    a = np.random.default_rng(0).normal(size=(9, 4))
    gap = np.vstack([a[:4], np.full((2, 4), np.nan), a[4:]])
    assert distance(gap, a) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(InputError, match="2 frames"):
        distance(a, a[:1])
    with pytest.raises(InputError, match="one network"):
        distance(a, a[:, :3])


def test_cosines() -> None:
    a = np.array([[2.0, 0], [0, 3], [np.nan, 1], [1, 1]])
    b = np.array([[5.0, 0], [1, 0], [1, 1], [0, 2]])
    np.testing.assert_allclose(paired_cosine(a, b), [1, 0, np.nan, np.sqrt(0.5)])
    mean = DirectionMean.empty(2)
    assert mean.updated(a).cosine(mean.updated(7 * a[:2]).updated(a[3:])) == pytest.approx(1.0)
    assert np.isnan(mean.updated(a[2:3]).cosine(mean.updated(b)))
    assert np.all(unit_rows(np.zeros((2, 3))) == 0)


def test_lse_agrees_with_the_stored_curve() -> None:
    lips = seeded_input("lse.f1", (40, 1024), "normal")
    sound = torch.roll(lips, 3, 0) + 0.3 * seeded_input("lse.f2", (40, 1024), "normal")
    measured = SyncCurve()
    measured.add(lips, torch.nn.functional.pad(sound, (0, 0, MAX_SHIFT, MAX_SHIFT)))  # with zeros, as published
    found = measured.score()
    np.testing.assert_allclose(found.curve, GOLDENS["lse.mdist"], rtol=1e-5)
    assert found.distance == pytest.approx(float(GOLDENS["lse.lse_d"]), rel=1e-5)
    assert found.confidence == pytest.approx(float(GOLDENS["lse.lse_c"]), rel=1e-5)
    assert (found.offset, found.windows) == (int(GOLDENS["lse.offset"]), 40)


@given(shift=st.integers(-4, 4), cut=st.integers(0, 30), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_a_known_delay_is_found_in_any_split_into_blocks(shift: int, cut: int, seed: int) -> None:
    sound = torch.from_numpy(np.random.default_rng(seed).normal(size=(60, 8)))
    lips, padded = sound[10 + shift : 40 + shift], sound[5:45]
    curve = SyncCurve(5)
    curve.add(lips[:cut], padded[: cut + 10])
    curve.add(lips[cut:], padded[cut:])
    found = curve.score()
    assert found.offset == -shift
    assert found.distance == pytest.approx(8**0.5 * 1e-6, rel=1e-3)
    assert found.curve == pytest.approx(window_distances(lips, padded).mean(dim=0).tolist())


def test_streams_that_do_not_pair_are_refused() -> None:
    with pytest.raises(InputError, match="longer talking clip"):
        SyncCurve().score()
    with pytest.raises(ValueError, match="need 33 sound rows"):
        SyncCurve().add(torch.zeros(3, 4), torch.zeros(4, 4))
