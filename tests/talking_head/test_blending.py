from __future__ import annotations

import numpy as np
import pytest
from fake_talking_head import frames_of
from hypothesis import given
from hypothesis import strategies as st

from thfem_core.media.frame import Box
from thfem_core.talking_head.blending import blend_patches, paste_patch
from thfem_core.talking_head.head import FacePatch

boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(1, 7),
    st.integers(1, 7),
)


@st.composite
def patches(draw) -> FacePatch:
    box, seed = draw(boxes), draw(st.integers(0, 1000))
    random = np.random.default_rng(seed)
    shape = box.height, box.width
    alpha = random.choice(np.array([0, 0.3, 1], np.float32), shape)
    return FacePatch(box=box, rgb=random.integers(0, 256, (*shape, 3), np.uint8), alpha=alpha)


def on_grey(patch: FacePatch | None) -> np.ndarray:
    frame = frames_of(1)[0]
    return (frame if patch is None else paste_patch(frame, patch)).rgb().astype(float)


@given(st.lists(st.tuples(patches(), st.floats(0.05, 1)), min_size=1, max_size=4))
def test_the_blend_is_the_mean_of_what_each_would_paste(weighted):
    total = sum(weight for _, weight in weighted)
    shared = [(patch, weight / total) for patch, weight in weighted]
    expected = sum(share * on_grey(patch) for patch, share in shared)
    np.testing.assert_allclose(on_grey(blend_patches(shared)), expected, atol=1.6)


@given(patches(), st.lists(st.floats(0.05, 1), min_size=2, max_size=4))
def test_equal_patches_come_out_as_they_are(patch, weights):
    blended = blend_patches([(patch, weight / sum(weights)) for weight in weights])
    np.testing.assert_array_equal(on_grey(blended), on_grey(patch))


def test_missing_shares_are_left_to_the_frame():
    white = FacePatch(box=Box(0, 0, 4, 4), rgb=np.full((4, 4, 3), 200, np.uint8), alpha=np.ones((4, 4), np.float32))
    assert on_grey(blend_patches([(white, 0.25)]))[0, 0, 0] == 125
    assert on_grey(blend_patches([(white, 0.25), (white, 0.25)]))[0, 0, 0] == 150
    assert blend_patches([]) is None


def test_only_what_lies_inside_the_frame_is_pasted():
    frame = frames_of(1)[0]
    patch = FacePatch(box=Box(-3, 10, 2, 30), rgb=np.full((20, 5, 3), 9, np.uint8), alpha=np.ones((20, 5), np.float32))
    pasted = paste_patch(frame, patch).rgb()
    assert (pasted[10:, :2] == 9).all() and (pasted[:10] == 100).all() and (pasted[:, 2:] == 100).all()
    gone = FacePatch(box=Box(40, 40, 45, 60), rgb=patch.rgb, alpha=patch.alpha)
    assert paste_patch(frame, gone) is frame


@pytest.mark.parametrize("count", [1, 3])
def test_patches_are_not_written_to(count):
    patch = FacePatch(box=Box(0, 0, 2, 2), rgb=np.full((2, 2, 3), 9, np.uint8), alpha=np.full((2, 2), 0.5, np.float32))
    blend_patches([(patch, 0.2)] * count)
    assert (patch.alpha == 0.5).all() and (patch.rgb == 9).all()
