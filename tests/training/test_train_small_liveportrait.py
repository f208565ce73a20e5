"""The small network of LivePortrait's shape: what is trained is what loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from thfem_core.networks.liveportrait.files import locate_liveportrait
from thfem_core.networks.liveportrait.keypoints import face_motion
from thfem_core.networks.liveportrait.networks import load_liveportrait
from thfem_core.networks.liveportrait.stitching import stitched
from training.train_small_liveportrait import (
    SIZES,
    Faces,
    Portrait,
    batch_of,
    convolve_flat,
    motion_loss,
    picture_loss,
    write_published,
)


@pytest.mark.parametrize(("kernel", "depth"), [(3, 2), (7, 2), (7, 4)])
def test_flat_convolution_is_that_of_the_volume(kernel: int, depth: int) -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv3d(5, 7, kernel, padding=kernel // 2), torch.randn(2, 5, depth, 8, 8)
    torch.testing.assert_close(convolve_flat(layer, x), layer(x), atol=1e-5, rtol=1e-5)


def test_what_is_written_loads_as_liveportrait_and_draws_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    portrait = Portrait().eval()
    write_published(portrait, tmp_path)
    networks = load_liveportrait(locate_liveportrait(folders=[tmp_path]))
    assert networks.sizes == SIZES
    source, driving = torch.rand(2, 2, 3, SIZES.side, SIZES.side)
    with torch.inference_mode():
        drawn, motion = portrait(source, driving)
        before, after = (face_motion(networks.read_motion(x)).keypoints() for x in (source, driving))
        torch.testing.assert_close(motion.keypoints(), torch.cat([before, after]), atol=1e-5, rtol=1e-4)
        found = networks.render(networks.appearance(source), before, after)
        torch.testing.assert_close(found, drawn, atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(stitched(networks.stitching, before, after), after)


def test_a_few_steps_learn_a_clip() -> None:
    """Two grey faces that differ in brightness: both losses fall."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    pictures = np.stack([np.full((64, 64, 3), level, np.uint8) for level in (60, 190)])
    points = random.uniform(-0.5, 0.5, (1, 21, 3)).repeat(2, axis=0).astype(np.float32)
    faces = Faces(pictures, points, np.eye(3, dtype=np.float32)[None].repeat(2, axis=0), np.zeros(2, int))
    portrait = Portrait().train()
    optimiser = torch.optim.Adam(portrait.parameters(), lr=1e-3)
    losses = []
    for _ in range(12):
        drawn_from, truth, turns = batch_of(faces, 2, random)
        seen = nn.functional.avg_pool2d(drawn_from, 2)
        drawn, motion = portrait(*seen.chunk(2))
        looks, moves = picture_loss(drawn, drawn_from[2:]), motion_loss(motion, truth, turns)
        losses.append((looks.item(), moves.item()))
        optimiser.zero_grad()
        (looks + moves).backward()
        optimiser.step()
    first, last = np.mean(losses[:3], axis=0), np.mean(losses[-3:], axis=0)
    assert (last < 0.8 * first).all(), (first, last)
