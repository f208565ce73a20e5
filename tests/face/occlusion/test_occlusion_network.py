from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from made_up_track import SIZE, talking_face

from thfem_core.errors import WeightsError
from thfem_core.face.occlusion import loading
from thfem_core.face.occlusion.face_mask import covered_pixels, face_mask, without_islands
from thfem_core.face.occlusion.network import PIXELS, OcclusionNet
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.weights.reading import embedded_tensors

CPU = torch.device("cpu")


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (PIXELS, PIXELS, 3), np.uint8) for _ in range(count)]


def test_the_network_is_small() -> None:
    assert sum(weight.numel() for weight in OcclusionNet().parameters()) <= 500_000


def test_folding_the_normalisation_changes_nothing() -> None:
    """Float32 in another order of operations, through ten layers: 1e-3 of log odds is far below what decides."""
    tensors, _ = embedded_tensors("occlusion.safetensors", maker="")
    net = OcclusionNet()
    net.load_state_dict(tensors)
    net.eval()
    batch = torch.from_numpy(np.stack(pictures(2))).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        torch.testing.assert_close(loading.load_occlusion_net(CPU)(batch), net(batch), atol=1e-3, rtol=1e-3)


def test_batched_is_one_by_one() -> None:
    """The convolution library may choose another algorithm for another batch: probabilities agree to 1e-5."""
    net, some = loading.load_occlusion_net(CPU), pictures(5)
    together = covered_pixels(some, net)
    assert together.shape == (5, PIXELS // 2, PIXELS // 2)
    np.testing.assert_allclose(together, np.concatenate([covered_pixels([one], net) for one in some]), atol=1e-5)


def test_a_file_of_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors, notes = embedded_tensors("occlusion.safetensors", maker="")
    tensors["head.bias"] = torch.zeros(3)
    monkeypatch.setattr(loading, "embedded_tensors", lambda *_, **__: (tensors, notes))
    with pytest.raises(WeightsError, match=r"head\.bias"):
        loading.load_occlusion_net.__wrapped__(CPU)


def test_small_and_unsure_islands_are_left_out() -> None:
    covered = np.zeros((64, 64), np.float32)
    covered[4:8, 4:8] = 0.99  # small
    covered[10:20, 10:20] = 0.7  # unsure
    covered[40:50, 40:50] = 0.8
    covered[44, 44] = 0.99  # believed
    kept = without_islands(covered)
    assert kept[:30].max() == 0
    np.testing.assert_array_equal(kept[38:52, 38:52], covered[38:52, 38:52])


def test_hair_on_the_forehead_belongs_to_the_face() -> None:
    fringe, hand = np.zeros((2, 64, 64), np.float32)
    fringe[4:18, 16:48] = 1
    hand[4:30, 16:48] = 1
    assert without_islands(fringe).max() == 0
    np.testing.assert_array_equal(without_islands(hand), hand)


def test_what_is_seen_beside_the_face_is_not_in_front_of_it() -> None:
    face = np.zeros((64, 64), bool)
    face[12:52, 16:48] = True
    wall, microphone, arm = np.zeros((3, 64, 64), np.float32)
    wall[20:40, :18] = 0.97
    microphone[30:64, 24:32] = 0.99
    arm[20:40, :18] = 1  # reaches in no farther than the wall, but is certain
    assert without_islands(wall, face).max() == 0
    np.testing.assert_array_equal(without_islands(microphone, face), microphone)
    np.testing.assert_array_equal(without_islands(arm, face), arm)


def test_a_face_outside_the_frame_has_no_mask() -> None:
    frame = ArrayFrame(index=0, time=Fraction(0), pixels=np.zeros((SIZE, SIZE, 3), np.uint8))
    net, landmarks = loading.load_occlusion_net(CPU), talking_face(1)[0]
    assert face_mask(frame, landmarks + np.array([2000, 0, 0], np.float32), net) is None
    mask = face_mask(frame, landmarks + np.array([150, 0, 0], np.float32), net)
    assert mask is not None and mask.covered.shape == (64, 64) and np.isfinite(mask.covered).all()
