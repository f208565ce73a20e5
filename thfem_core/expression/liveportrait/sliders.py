"""Expression sliders in LivePortrait's keypoints: what each moves, and moving several at once.

The sliders and their values are those of the ComfyUI node AdvancedLivePortrait and of LivePortrait's own app, so that
numbers that users know mean the same here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ...networks.liveportrait.keypoints import FaceMotion, rotation_matrices
from ...networks.liveportrait.motion_extractor import KEYPOINTS
from ...networks.liveportrait.regions import mask

_AXES = "xyz"


@dataclass(frozen=True, kw_only=True, slots=True)
class SliderMotion:
    """What one unit of a slider moves.

    up: Offsets of expression entries such as ``14.y``, for values ≥ 0.
    down: The same for values < 0 where they differ (multiplied by the negative value).
    turn: Pitch, yaw, roll in degrees.
    """

    up: Mapping[str, float]
    down: Mapping[str, float] | None = None
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)


_BLINK = {"1.y": -0.00025, "2.y": 0.00025, "11.y": -0.001, "13.y": 0.0003, "15.y": -0.001, "16.y": 0.0003}
SLIDER_MOTIONS: dict[str, SliderMotion] = {
    "rotate_pitch": SliderMotion(up={}, turn=(1.0, 0.0, 0.0)),
    "rotate_yaw": SliderMotion(up={}, turn=(0.0, -1.0, 0.0)),
    "rotate_roll": SliderMotion(up={}, turn=(0.0, 0.0, 1.0)),
    "blink": SliderMotion(up=_BLINK),
    "eyebrow": SliderMotion(
        up={"1.y": 0.001, "2.y": -0.001}, down={"1.x": -0.001, "1.y": 0.0003, "2.x": 0.001, "2.y": -0.0003}
    ),
    "wink": SliderMotion(
        up={"3.y": -0.0003, "11.y": 0.001, "13.y": -0.0003, "17.x": 0.0003, "17.y": 0.0003}, turn=(0.0, -0.1, -0.1)
    ),
    "pupil_x": SliderMotion(up={"11.x": 0.0007, "15.x": 0.001}, down={"11.x": 0.001, "15.x": 0.0007}),
    "pupil_y": SliderMotion(
        up={"1.y": 0.000125, "2.y": -0.000125, "11.y": -0.0005, "13.y": -0.00015, "15.y": -0.0005, "16.y": -0.00015}
    ),
    "aaa": SliderMotion(up={"17.y": -0.0001, "19.y": 0.001, "19.z": 0.0001}, turn=(-0.05, 0.0, 0.0)),
    "eee": SliderMotion(up={"14.y": -0.001, "20.y": -0.001, "20.z": -0.001}),
    "woo": SliderMotion(up={"3.y": -0.0005, "7.y": -0.0005, "14.y": 0.001, "17.z": -0.0005}),
    "smile": SliderMotion(
        up={
            "3.y": -0.0035,
            "7.y": -0.0035,
            "13.y": -0.00275,
            "14.y": -0.02,
            "16.y": -0.00275,
            "17.y": 0.0065,
            "17.z": 0.003,
            "20.y": -0.01,
        }
    ),
}


class SliderOffset(NamedTuple):
    """What sliders move together. expression: (21, 3) offsets. turn: (3,) degrees of pitch, yaw, roll."""

    expression: Tensor
    turn: Tensor


def slider_offset(values: Mapping[str, float]) -> SliderOffset:
    """Add sliders up.

    Args:
        values: By slider name; those not named are 0.

    Returns:
        Their offsets, float32.
    """
    expression, turn = torch.zeros(KEYPOINTS, 3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for name, value in values.items():
        motion = SLIDER_MOTIONS[name]
        entries = motion.down if motion.down is not None and value < 0 else motion.up
        for entry, amount in entries.items():
            row, axis = entry.split(".")
            expression[int(row), _AXES.index(axis)] += value * amount
        turn += value * torch.tensor(motion.turn, dtype=torch.float64)
    return SliderOffset(expression.float(), turn.float())


# Rows of a sample picture's expression that the node AdvancedLivePortrait adds, by the name it gives them.
SAMPLE_PARTS = {
    "OnlyExpression": mask(range(KEYPOINTS)),
    "OnlyRotation": mask(),
    "OnlyMouth": mask((14, 17, 19, 20)),
    "OnlyEyes": mask((1, 2, 11, 13, 15, 16)),
    "All": mask(range(KEYPOINTS)),
}


def sample_offset(sample: FaceMotion, part: str, ratio: float) -> SliderOffset:
    """What the node AdvancedLivePortrait adds of a sample picture: a share of its expression, and of its head pose."""
    expression = torch.where(SAMPLE_PARTS[part], sample.expression[0], torch.zeros(()))
    expression[5, :2] = 0.0  # these two move the face as a whole
    turn = sample.angles[0] if part in ("OnlyRotation", "All") else torch.zeros(3)
    return SliderOffset(ratio * expression, ratio * turn)


def node_keypoints(source: FaceMotion, offset: SliderOffset, *, kept: float = 1.0) -> Tensor:
    """Keypoints as the node AdvancedLivePortrait places them: the expression turns with the head.

    Pictures with all sliders at 0 therefore differ from the source; LivePortrait itself does not turn it.

    Args:
        source: N frames.
        offset: What sliders and sample add.
        kept: Share of the source's own expression.

    Returns:
        (N, 21, 3), before stitching.
    """
    own = kept * source.expression
    own[:, 5] = source.expression[:, 5]
    points = (source.canonical + own + offset.expression) @ rotation_matrices(source.angles + offset.turn)
    return source.scale[..., None] * points + source.translation[:, None]
