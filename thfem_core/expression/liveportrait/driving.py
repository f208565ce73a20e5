"""How a driving face moves a source face, in LivePortrait's rules for pictures and videos."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from ...networks.liveportrait.keypoints import FaceMotion
from ...networks.liveportrait.regions import COPIED, EVERYTHING, LIPS, Copied, copied_mask


@dataclass(frozen=True, kw_only=True, slots=True)
class Driving:
    """What is taken from a driving face.

    relative: Whether the driver's change since its first frame is added to the source (else its expression replaces the
        source's).
    copied: "face": the expression except the lips. "expression": lips too. "all": head pose, size and place too.
        "pose": the head's motion only. "lips", "eyes": these only.
    single: Whether the driver is one picture, whose change is counted from a neutral mouth.
    still: Whether the source is one picture, which takes more of a driver than a video's frames do.
    """

    relative: bool = True
    copied: Copied = "face"
    single: bool = False
    still: bool = False

    def __post_init__(self) -> None:
        if self.copied not in COPIED:
            raise InputError(f"copied is {self.copied!r}; choose one of: {', '.join(COPIED)}")

    @property
    def moves_head(self) -> bool:
        return self.copied in ("all", "pose")

    @property
    def smoothed(self) -> bool:
        """Whether expression and rotation are smoothed over the clip."""
        return not self.still and not self.single


@cache
def neutral_lips() -> Tensor:
    """(1, 21, 3): expression of a face at rest, mostly its mouth; data of LivePortrait (MIT)."""
    return torch.from_numpy(np.loadtxt(Path(__file__).with_name("neutral_lips.txt"), dtype=np.float32))[None]


def target_expression(source: FaceMotion, driver: FaceMotion, first: FaceMotion, driving: Driving) -> Tensor:
    """The expression that is strived for, before smoothing and before rows are picked.

    Args:
        source: N frames.
        driver: The N driving frames; one where it is a picture.
        first: The driver's first frame.
        driving: The rules.

    Returns:
        (N, 21, 3).
    """
    if not driving.relative:
        return driver.expression.expand_as(source.expression)
    if not driving.single:
        return source.expression + driver.expression - first.expression
    at_rest = neutral_lips().to(source.expression)
    if driving.still and driving.copied == "eyes":
        at_rest = torch.zeros_like(at_rest)
    return source.expression + driver.expression - at_rest


def target_rotation(source: FaceMotion, driver: FaceMotion, first: FaceMotion, driving: Driving) -> Tensor:
    """(N, 3, 3): the head's rotation, before smoothing; arguments as of :func:`target_expression`."""
    if not driving.moves_head or (driving.relative and driving.single and not driving.still):
        return source.rotation
    if not driving.relative:
        return driver.rotation.expand_as(source.rotation)
    return driver.rotation @ first.rotation.mT @ source.rotation


def driven(
    source: FaceMotion,
    driver: FaceMotion,
    first: FaceMotion,
    driving: Driving,
    *,
    expression: Tensor,
    rotation: Tensor,
) -> FaceMotion:
    """The source moved by the driver.

    Args:
        source: N frames.
        driver: The N driving frames; one where it is a picture.
        first: The driver's first frame.
        driving: The rules.
        expression: (N, 21, 3) :func:`target_expression`, smoothed if :attr:`Driving.smoothed`.
        rotation: (N, 3, 3) :func:`target_rotation`, smoothed likewise.

    Returns:
        N frames.
    """
    rows = copied_mask(driving.copied)
    if driving.relative and driving.still and driving.copied in ("all", "expression", "face"):
        rows = ~LIPS if driving.copied == "face" else EVERYTHING
    scale, translation = source.scale, source.translation
    if driving.relative and driving.still:
        if driving.copied == "all":
            scale = scale * driver.scale / first.scale
        if driving.moves_head:
            translation = translation + driver.translation - first.translation
    elif not driving.relative and driving.moves_head:
        translation = driver.translation.expand_as(translation)
    return source._replace(
        rotation=rotation if driving.moves_head else source.rotation,
        expression=torch.where(rows.to(expression.device), expression, source.expression),
        scale=scale.expand(len(expression), -1),
        translation=translation,
    )


def eye_openings(landmarks: Tensor) -> Tensor:
    """(N, 478, 2 or more) mesh points → (N, 2): height over width of the person's right and left eye."""
    return torch.cat([opening(landmarks, 159, 145, 33, 133), opening(landmarks, 386, 374, 263, 362)], dim=1)


def lip_openings(landmarks: Tensor) -> Tensor:
    """(N, 478, 2 or more) mesh points → (N, 1): height over width of the opening between the lips."""
    return opening(landmarks, 13, 14, 78, 308)


def opening(landmarks: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
    """(N, P, 2 or more) points → (N, 1): distance of two points over that of two others, by their numbers."""
    xy = landmarks[..., :2].float()
    height = torch.linalg.vector_norm(xy[:, top] - xy[:, bottom], dim=-1, keepdim=True)
    width = torch.linalg.vector_norm(xy[:, left] - xy[:, right], dim=-1, keepdim=True)
    return height / (width + 1e-6)
