"""The self-test's verdict: from pictures as they are to noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from liveportrait_material import motion
from made_up_track import MadeUpTrack, talking_face, textured_frames

from thfem_core.expression.liveportrait.self_test import render_identity
from thfem_core.face.crop import crop_frame
from thfem_core.networks.liveportrait.crop import CropPath
from thfem_core.networks.liveportrait.keypoints import FaceMotion

COUNT, SIDE = 3, 64


class Drawer:
    """Draws the true faces, with noise."""

    side, device = SIDE, torch.device("cpu")

    def __init__(self, noise: float) -> None:
        self.noise = noise

    def read(self, pictures: Sequence[np.ndarray]) -> FaceMotion:
        return motion(len(pictures), 0.0)

    def draw(self, pictures: Sequence[np.ndarray], source: torch.Tensor, ways: Sequence[torch.Tensor]) -> list:
        assert len(ways) == 1 and torch.equal(ways[0], source)
        crops = CropPath(MadeUpTrack(talking_face(COUNT)), frame_rate=25)
        native = [crop_frame(frame, crops.at(frame.index), 2 * SIDE) / 255 for frame in textured_frames(COUNT)]
        return [
            np.stack(native) + self.noise * np.random.default_rng(0).standard_normal((COUNT, 2 * SIDE, 2 * SIDE, 3))
        ]


@pytest.mark.parametrize(
    ("noise", "decibels", "verdict"),
    [
        (0.03, 30.5, "good: the files work"),
        (0.08, 21.9, "POOR: 26 dB or more are expected"),
        (0.3, 10.5, "WRONG: these files do not draw people"),
        (float("nan"), None, "WRONG: values are not finite"),
    ],
)
def test_verdicts(noise: float, decibels: float | None, verdict: str) -> None:
    told = render_identity(Drawer(noise), textured_frames(COUNT), MadeUpTrack(talking_face(COUNT)))
    assert verdict in told and "3 faces drawn as they are" in told
    if decibels is not None:
        assert float(told.split("as they are, ")[1].split(" dB")[0]) == pytest.approx(decibels, abs=0.2)
