"""One tracked face in the crops and the aligned pictures of NED and SSERD."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ...face.mesh.topology import FACE_OVAL
from ...face.tracking.track import FaceTrack
from ...media.frame import Box, Frame
from .blend import blended_crop, face_mask, resized_to_box
from .crop import SMOOTHED, crop_box, detector_boxes, face_crop, smooth_boxes
from .similarity import (
    MESH_68,
    PUPILS,
    SIDE,
    TEMPLATE_68,
    aligned_face,
    similarity,
    transformed,
    unaligned_face,
)

_REACH = 24  # pixels of a crop around the mask in which a blend still changes the picture
_BLOCK = 64  # frames whose boxes are smoothed at once

Segmentation = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AlignedFace:
    """A face of one frame.

    box: Its crop in the frame, whole pixels.
    crop: The crop (256, 256, 3) uint8 RGB.
    landmarks: The 68 points in the crop (68, 2).
    eyes: Twelve eye points and two pupils in the crop (14, 2).
    mask: Face pixels of the crop (256, 256) bool.
    to_template: Map from the crop to the template (2, 3).
    weight: How much of an edit to apply, 0..1.
    """

    box: tuple[int, int, int, int]
    crop: np.ndarray
    landmarks: np.ndarray
    eyes: np.ndarray
    mask: np.ndarray
    to_template: np.ndarray
    weight: float

    def aligned(self) -> tuple[np.ndarray, np.ndarray]:
        """The face in the template's place (256, 256, 3) uint8, 0 outside it, and its mask (256, 256) bool."""
        return aligned_face(self.crop, self.mask, self.to_template)

    def pasted(self, frame: Frame, drawn: np.ndarray) -> Frame:
        """Put a drawn face back.

        Args:
            frame: The frame this face was taken from.
            drawn: The drawn face in the template's place (256, 256, 3) uint8.

        Returns:
            The frame with the face blended in; pixels away from the face keep their bits.
        """
        face = unaligned_face(drawn, self.mask, self.to_template)
        blend = blended_crop(self.crop / np.float32(255), face / np.float32(255), self.mask)
        return self.replaced(frame, blend)

    def replaced(self, frame: Frame, crop: np.ndarray) -> Frame:
        """Put a changed crop (256, 256, 3) float32 in 0..1 back, where it can differ from the original."""
        width, height = self.box[2] - self.box[0], self.box[3] - self.box[1]
        near = cv2.dilate(self.mask.astype(np.uint8), np.ones((2 * _REACH + 1,) * 2, np.uint8)).astype(np.float32)
        near[[0, -1]] = near[:, [0, -1]] = 0
        alpha = cv2.resize(cv2.blur(near, (9, 9)), (width, height), interpolation=cv2.INTER_LINEAR) * self.weight
        return frame.paste(Box(*self.box), resized_to_box(crop, self.box), np.clip(alpha, 0, 1))


class AlignedFaces:
    """The faces of one track. Memory does not grow with its length."""

    def __init__(self, track: FaceTrack, segmentation: Segmentation | None = None) -> None:
        """Follow a track.

        Args:
            track: Where the face is.
            segmentation: Face pixels (256, 256) bool of a crop (256, 256, 3) uint8; None takes the outline of the
                face mesh.
        """
        self._track, self._segmentation = track, segmentation
        self._boxes: tuple[int, np.ndarray] = (0, np.zeros((0, 4)))
        self._mask: np.ndarray | None = None

    def at(self, frame: Frame) -> AlignedFace | None:
        """Read the face of a frame; frames come in order. None where it is not seen."""
        samples = self._track.samples(frame.index, frame.index + 1)
        weight, mesh = float(samples.weight[0]), samples.landmarks[0, :, :2].astype(np.float64)
        if weight <= 0 or np.isnan(mesh[0, 0]):
            return None
        box = crop_box(self._box(frame.index), frame.width, frame.height)
        if box[2] - box[0] < 2 or box[3] - box[1] < 2:
            return None
        crop = face_crop(frame.rgb(Box(*box)), (0, 0, box[2] - box[0], box[3] - box[1]))
        scale = SIDE / np.array([box[2] - box[0], box[3] - box[1]])
        # a frame's pixel centres lie at half numbers, a crop's at whole ones
        points = (mesh - box[:2]) * scale - 0.5
        landmarks = points[list(MESH_68)]
        if self._segmentation is not None:
            self._mask = face_mask(self._segmentation(crop), self._mask)
        else:
            self._mask = _outline(points)
        return AlignedFace(
            box=box,
            crop=crop,
            landmarks=landmarks,
            eyes=np.concatenate([landmarks[36:48], points[list(PUPILS)]]),
            mask=self._mask,
            to_template=similarity(landmarks, TEMPLATE_68),
            weight=weight,
        )

    def _box(self, index: int) -> np.ndarray:
        """The smoothed square box of a frame (4,)."""
        start, boxes = self._boxes
        if not start <= index < start + len(boxes):
            start = index
            stop = min(index + _BLOCK, self._track.stop_frame)
            reach = SMOOTHED // 2
            first, last = max(start - reach, self._track.first_frame), min(stop + reach, self._track.stop_frame)
            meshes = self._track.samples(first, last).landmarks[:, list(MESH_68), :2].astype(np.float64)
            boxes = smooth_boxes(detector_boxes(meshes))[start - first : stop - first]
            self._boxes = (start, boxes)
        return boxes[index - start]


def _outline(points: np.ndarray) -> np.ndarray:
    """Pixels (256, 256) bool inside the outline of a face mesh (478, 2)."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.rint(points[list(FACE_OVAL)]).astype(np.int32)], 1)
    return mask > 0


def template_points(face: AlignedFace, points: np.ndarray) -> np.ndarray:
    """Carry points of a face's crop (N, 2) to the template's place."""
    return transformed(points, face.to_template)
