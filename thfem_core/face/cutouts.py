"""Faces cut out of frames: as masks, and as pictures of one size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..media.frame import Box, Frame
from .tracking.association import box_side, landmark_box
from .tracking.track import FaceTrack

MARGIN = 1.6  # side of a cut-out, in sizes of the face
SIDE = 512  # pixels of a cut-out
_LOOKS = 30  # frames that tell the size of a face


def face_mask(frame: Frame, tracks: Sequence[FaceTrack]) -> np.ndarray:
    """Draw where faces are.

    Args:
        frame: Any frame of the clip.
        tracks: The faces.

    Returns:
        float32 (H, W) in 0..1: inside the outline of each face the weight of an edit there, else 0.
    """
    mask = np.zeros((frame.height, frame.width), np.float32)
    for track in tracks:
        samples = track.samples(frame.index, frame.index + 1)
        if samples.weight[0] > 0:
            outline = cv2.convexHull(np.rint(samples.landmarks[0, :, :2] - 0.5).astype(np.int32))
            face = np.zeros_like(mask)
            cv2.fillConvexPoly(face, outline, float(samples.weight[0]), cv2.LINE_AA)
            mask = np.maximum(mask, face)
    return mask


class FaceCutter:
    """Cuts one person out of the frames of a clip: always at one scale, the face in the middle."""

    def __init__(self, tracks: Sequence[FaceTrack]) -> None:
        """Cut out nothing yet.

        Args:
            tracks: The person, a track per shot; of several people, the one who comes first in each frame is cut out.
        """
        self._tracks = tuple(tracks)
        self._sides: dict[int, float] = {}
        self._box: Box | None = None

    def cut(self, frame: Frame) -> np.ndarray:
        """Cut the face out.

        Args:
            frame: The next frame of the clip.

        Returns:
            uint8 RGB (SIDE, SIDE, 3); where the person is away, the place of the last frame with them, and before that
            the middle of the picture. Black beyond the picture.
        """
        for track in self._tracks:
            landmarks = track.samples(frame.index, frame.index + 1).landmarks[0]
            if np.isfinite(landmarks).all():
                x0, y0, x1, y1 = landmark_box(landmarks)
                if track.track_id not in self._sides:
                    self._sides[track.track_id] = _usual_side(track)
                self._box = _square((x0 + x1) / 2, (y0 + y1) / 2, self._sides[track.track_id])
                break
        box = self._box or _square(frame.width / 2, frame.height / 2, min(frame.width, frame.height))
        inside = box.clipped(frame.width, frame.height)
        picture = np.zeros((box.height, box.width, 3), np.uint8)
        if inside.width and inside.height:
            rows = slice(inside.y0 - box.y0, inside.y1 - box.y0)
            picture[rows, inside.x0 - box.x0 : inside.x1 - box.x0] = frame.rgb(inside)
        shrinks = box.width > SIDE
        return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def _usual_side(track: FaceTrack) -> float:
    """Side of the cut-outs of a track, pixels: of the median size of the face."""
    numbers = np.linspace(track.first_frame, track.stop_frame - 1, _LOOKS).astype(int)
    sides = [
        box_side(landmark_box(landmarks))
        for number in dict.fromkeys(numbers.tolist())
        if np.isfinite(landmarks := track.samples(number, number + 1).landmarks[0]).all()
    ]
    return MARGIN * float(np.median(sides)) if sides else float(SIDE)


def _square(x: float, y: float, side: float) -> Box:
    half = max(round(side / 2), 1)
    return Box(round(x) - half, round(y) - half, round(x) + half, round(y) + half)
