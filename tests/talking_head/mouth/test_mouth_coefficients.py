"""The modes of mouth motion: read back what they write, still at the nose, the same on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from mouth_material import opened

from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.mesh.lip_motion import lip_aperture
from thfem_core.face.mesh.topology import LIPS
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis, lower_face_fade

COEFFICIENTS = hnp.arrays(np.float32, 16, elements=st.floats(-3, 3, width=32))


@settings(max_examples=30)
@given(COEFFICIENTS)
def test_what_is_written_is_read(values: np.ndarray) -> None:
    """The reader is a weighted fit; the fading at the nose is all that it does not see."""
    basis = load_mouth_basis()
    values = values * basis.spread
    read = basis.read(basis.mean + basis.displacement(values))
    assert np.abs(read - values).max() <= 0.15 * np.abs(values).max() + 1e-4


@settings(max_examples=30)
@given(COEFFICIENTS, COEFFICIENTS)
def test_reading_is_linear(a: np.ndarray, b: np.ndarray) -> None:
    basis = load_mouth_basis()
    shapes = basis.mean + np.stack([basis.displacement(a), basis.displacement(b)])
    np.testing.assert_allclose(basis.read(shapes)[0], basis.read(shapes[0]), atol=1e-3)
    both = basis.mean + basis.displacement(a) + basis.displacement(b)
    np.testing.assert_allclose(basis.read(both), basis.read(shapes).sum(axis=0), atol=2e-2)
    assert basis.read(shapes[None]).shape == (1, 2, basis.size)


def test_nothing_moves_above_the_nose() -> None:
    basis = load_mouth_basis()
    above = canonical_mesh()[:, 1] < 40
    assert above.sum() > 150
    assert np.abs(basis.modes[:, above]).max() == 0
    assert (np.abs(basis.modes[:, list(LIPS)]).max(axis=(1, 2)) > 0).all()
    fade = lower_face_fade()
    assert (fade[above] == 0).all() and (fade[list(LIPS)] > 0.9).all() and fade.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        fade[0] = 1


def test_the_modes_open_and_shut_the_mouth() -> None:
    """The first few catch a dropping jaw; coefficients are in face units."""
    basis = load_mouth_basis()
    shut, wide = opened(0.0), opened(0.5)
    change = basis.read(wide) - basis.read(shut)
    caught = shut + basis.displacement(change)
    gap = lip_aperture(np.stack([shut, caught, wide]))
    assert gap[1] - gap[0] == pytest.approx(gap[2] - gap[0], rel=0.15)
    lips = list(LIPS)
    assert np.abs((caught - wide)[lips]).mean() < 0.25 * np.abs((wide - shut)[lips]).mean()


def test_no_mode_prefers_a_side() -> None:
    """The mirror image of every displacement is one of the modes' too."""
    basis, face = load_mouth_basis(), canonical_mesh()
    mirror = np.linalg.norm((face * [-1, 1, 1])[:, None] - face, axis=2).argmin(axis=1)
    for mode in basis.modes[:8]:
        flipped = (mode * [-1, 1, 1])[mirror]
        again = basis.displacement(basis.read(basis.mean + flipped))
        assert np.abs(again - flipped)[list(LIPS)].mean() < 0.15 * np.abs(flipped[list(LIPS)]).mean() + 1e-3
