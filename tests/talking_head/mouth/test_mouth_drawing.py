"""Patches: the frame itself where nothing changes, the head's motion followed, the frame's border respected."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mouth_material import SIDE, mouth, opened, picture, pose, texture

from thfem_core.media.array_frame import ArrayFrame
from thfem_core.talking_head.blending import paste_patch
from thfem_core.talking_head.face_crops import OUTSIDE
from thfem_core.talking_head.head import FacePatch
from thfem_core.talking_head.mouth.drawing import SourceFace, draw_patch
from thfem_core.talking_head.mouth.renderer import MouthRenderer, RendererConfig

CPU = torch.device("cpu")


def error(patch: FacePatch, frame: ArrayFrame) -> tuple[float, float]:
    """Mean and largest difference to the frame in grey levels, where the patch shows."""
    apart = np.abs(patch.rgb.astype(int) - frame.rgb(patch.box))[patch.alpha > 0]
    return float(apart.mean()), float(apart.max())


@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("roll", [0.0, 20.0, -35.0])
def test_a_frame_drawn_from_itself_is_itself(roll: float, network: bool) -> None:
    torch.manual_seed(0)
    net = MouthRenderer(RendererConfig(widths=(8, 8, 8, 8))).eval() if network else None
    frame, person = picture(), mouth(opened(0.3), pose(roll=roll))
    patch = draw_patch(SourceFace(frame, person), frame, person, person.edited, 1.0, net, CPU)
    assert isinstance(patch, FacePatch)
    mean, largest = error(patch, frame)
    assert mean < 0.6 and largest <= 4
    assert patch.alpha.max() == pytest.approx(1, abs=1e-3) and patch.alpha.dtype == np.float32
    assert max(patch.alpha[0].max(), patch.alpha[-1].max(), patch.alpha[:, 0].max(), patch.alpha[:, -1].max()) < 0.05
    assert patch.rgb.shape == (patch.box.height, patch.box.width, 3)


@pytest.mark.parametrize(
    ("roll", "scale", "at"), [(15.0, 1.0, (120.0, 90.0)), (-25.0, 0.8, (140.0, 100.0)), (0.0, 1.3, (128.0, 60.0))]
)
def test_the_source_is_carried_to_a_turned_and_nearer_head(roll: float, scale: float, at: tuple[float, float]) -> None:
    """In the target frame the same texture lies where the head has moved it; the patch must agree."""
    first, second = pose(), pose(roll=roll, scale=0.9 * scale, at=at)
    source = picture()
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    back = (np.stack([x, y], axis=-1) - second.translation[0, :2]) @ second.rotation[0, :2, :2] / second.scale[0]
    place = back @ first.rotation[0, :2, :2].T * first.scale[0] + first.translation[0, :2]
    target = ArrayFrame(index=1, time=source.time, pixels=texture(place[..., 0], place[..., 1]))
    shape = opened(0.3)
    patch = draw_patch(SourceFace(source, mouth(shape, first)), target, mouth(shape, second), shape, 1.0, None, CPU)
    assert isinstance(patch, FacePatch)
    mean, largest = error(patch, target)
    assert mean < 1.5 and largest < 25


def test_an_opened_mouth_is_carried_along() -> None:
    """What lay under the lower lip in the source lies under the dropped one in the drawing."""
    frame, person = picture(), mouth(opened(0.1), pose())
    wide = opened(0.6)
    patch = draw_patch(SourceFace(frame, person), frame, person, wide, 1.0, None, CPU)
    assert isinstance(patch, FacePatch)
    for point in (17, 18, 200):  # lower lip to chin
        was, now = (pose().to_image(shape[None])[0, point, :2] for shape in (person.edited, wide))
        assert now[1] > was[1] + 5
        column, row = int(now[0]) - patch.box.x0, int(now[1]) - patch.box.y0
        drawn = patch.rgb[row, column].astype(int)
        expected = texture(was[0] + (int(now[0]) + 0.5 - now[0]), was[1] + (int(now[1]) + 0.5 - now[1])).astype(int)
        assert np.abs(drawn - expected).max() < 25, point


def test_opacity_is_the_amount() -> None:
    frame, person = picture(), mouth(opened(0.3), pose())
    source = SourceFace(frame, person)
    whole, half = (draw_patch(source, frame, person, opened(0.5), amount, None, CPU) for amount in (1.0, 0.5))
    np.testing.assert_allclose(half.alpha, 0.5 * whole.alpha, atol=1e-6)
    np.testing.assert_array_equal(half.rgb, whole.rgb)


@pytest.mark.parametrize("at", [(20.0, 88.0), (236.0, 88.0), (128.0, 175.0), (128.0, -60.0)])
def test_a_face_at_the_edge_is_drawn_as_far_as_it_is_there(at: tuple[float, float]) -> None:
    frame, person = picture(), mouth(opened(0.3), pose(at=at))
    patch = draw_patch(SourceFace(frame, person), frame, person, person.edited, 1.0, None, CPU)
    assert isinstance(patch, FacePatch)
    assert patch.box == patch.box.clipped(frame.width, frame.height)
    assert patch.rgb.shape[:2] == patch.alpha.shape == (patch.box.height, patch.box.width)
    pasted = paste_patch(frame, patch)
    assert np.abs(pasted.rgb().astype(int) - frame.rgb()).max() <= 6


@pytest.mark.parametrize("at", [(-300.0, 88.0), (128.0, 400.0)])
def test_a_face_outside_is_not_drawn(at: tuple[float, float]) -> None:
    frame, inside, outside = picture(), mouth(opened(0.3), pose()), mouth(opened(0.3), pose(at=at))
    assert draw_patch(SourceFace(frame, inside), frame, outside, inside.edited, 1.0, None, CPU) == OUTSIDE
    assert draw_patch(SourceFace(frame, outside), frame, inside, inside.edited, 1.0, None, CPU) == OUTSIDE
