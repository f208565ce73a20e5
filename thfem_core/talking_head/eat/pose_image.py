"""EAT's picture of a head pose: a wire box seen by a pinhole camera."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from ...networks.antialias import Quarter
from .head_pose import HeadPoseEstimate, radians, rotation

_FOCAL, _CENTRE, _SIDE = 233.333, 128.0, 256
_FAR = 2.0**28  # pixels; a corner may come next to the camera's plane
_NEAR_SQUARE = [(-75, -75, 0), (-75, 75, 0), (75, 75, 0), (75, -75, 0), (-75, -75, 0)]
_FAR_SQUARE = [(-100, -100, 100), (-100, 100, 100), (100, 100, 100), (100, -100, 100), (-100, -100, 100)]
_CORNERS = np.array(_NEAR_SQUARE + _FAR_SQUARE, np.float32)
_EDGES = ((1, 6), (2, 7), (3, 8))


def box_corners(pose: HeadPoseEstimate) -> np.ndarray:
    """Project the corners of the box: int32 (N, 10, 2), pixels of a picture of 256 × 256.

    A corner beside the camera lies far outside. Here the angle bins count as degrees: a frontal head is turned by 33.
    """
    turn = rotation(radians(pose.bins()))
    points = torch.from_numpy(_CORNERS).to(turn) @ turn.transpose(1, 2) + pose.translation.to(turn)[:, None]
    x, y, z = points.cpu().double().numpy().transpose(2, 0, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = np.stack([_FOCAL * x / z + _CENTRE, _FOCAL * y / z + _CENTRE], axis=2)
    return np.clip(np.nan_to_num(pixels, posinf=_FAR, neginf=-_FAR), -_FAR, _FAR).astype(np.int32)


def pose_images(pose: HeadPoseEstimate) -> Tensor:
    """Draw head poses: float32 (N, 1, 64, 64) in 0..255, on the CPU."""
    pictures = np.zeros((len(pose.yaw), _SIDE, _SIDE))
    for picture, corners in zip(pictures, box_corners(pose), strict=True):
        cv2.polylines(picture, [corners[:, None]], True, 255, 2, cv2.LINE_AA)
        for a, b in _EDGES:
            cv2.line(picture, corners[a].tolist(), corners[b].tolist(), 255, 2, cv2.LINE_AA)
    with torch.inference_mode():
        return Quarter(1)(torch.from_numpy(pictures).float()[:, None]).clone()
