"""Faces that the ComfyUI host's own landmarker found (its FACE_LANDMARKS socket) as tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import InputError
from ...media.frame import Box, Frame
from ...media.video import VideoInfo
from ..models import Detection, FaceRoi, MeshFit
from .association import box_centre, distance, landmark_box
from .clip_faces import ClipFaces
from .tracker import track_shots
from .tracker_config import TrackerConfig


def from_host_landmarks(
    payload: Mapping[str, Any], frame_rate: Fraction, *, cuts: Sequence[int] = (), config: TrackerConfig | None = None
) -> ClipFaces:
    """Make tracks of landmarks that the host found.

    Args:
        payload: ``frames``, per frame a list of faces with ``landmarks_xy`` (478, 2) in pixels and ``landmarks_3d``
            (478, 3) in the mesh network's own unit, and ``image_size``: height and width.
        frame_rate: Of the clip.
        cuts: First frames of the shots after the first: the payload has no pictures to find them in.
        config: Settings of the tracker.

    Returns:
        Everybody in the clip.

    Raises:
        InputError: The payload has another form.
    """
    try:
        height, width = (int(n) for n in payload["image_size"])
        faces = [[_mesh(face) for face in frame] for frame in payload["frames"]]
    except (KeyError, TypeError, ValueError, np.linalg.LinAlgError) as error:
        raise InputError(
            f"these face landmarks cannot be read ({error}); connect the output of the host's MediaPipe Face Landmarker"
        ) from None
    info = VideoInfo(
        name="the face landmarks",
        width=width,
        height=height,
        frame_rate=frame_rate,
        frame_count=len(faces),
        duration=len(faces) / frame_rate,
        has_sound=False,
    )
    new_shots = frozenset(cuts)
    frames = ((_Blank(i, i / frame_rate, width, height), i in new_shots) for i in range(len(faces)))
    return track_shots(frames, info=info, models=_HostModels(faces), config=config or TrackerConfig(detect_every=1))


def _mesh(face: Mapping[str, Any]) -> np.ndarray:
    """(478, 3) float32 pixels: depth is scaled as the network's x and y were when they became pixels."""
    xy = np.asarray(face["landmarks_xy"], np.float64).reshape(478, 2)
    own = np.asarray(face["landmarks_3d"], np.float64).reshape(478, 3)
    spread = np.sqrt(((own[:, :2] - own[:, :2].mean(axis=0)) ** 2).sum())
    scale = np.sqrt(((xy - xy.mean(axis=0)) ** 2).sum()) / max(float(spread), 1e-9)
    return np.column_stack([xy, own[:, 2] * scale]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Blank:
    """A frame of which only the place in the clip is known."""

    index: int
    time: Fraction
    width: int
    height: int

    def rgb(self, box: Box | None = None) -> np.ndarray:
        raise ValueError("face landmarks carry no picture")

    def thumbnail(self, width: int, height: int, box: Box | None = None) -> np.ndarray:
        raise ValueError("face landmarks carry no picture")

    def warped(self, to_frame: np.ndarray, width: int, height: int) -> np.ndarray:
        raise ValueError("face landmarks carry no picture")

    def paste(self, box: Box, rgb: np.ndarray, alpha: np.ndarray) -> Frame:
        raise ValueError("face landmarks carry no picture")

    def restored(self, source: Frame, box: Box, alpha: np.ndarray) -> Frame:
        raise ValueError("face landmarks carry no picture")


class _HostModels:
    """:class:`.models.FaceModels` that only looks up what was found before."""

    def __init__(self, faces: Sequence[Sequence[np.ndarray]]) -> None:
        self._faces = faces

    def detect(self, frame: Frame) -> list[Detection]:
        nowhere = np.full((6, 2), np.nan, np.float32)
        return [Detection(box=landmark_box(m), keypoints=nowhere, score=1.0) for m in self._faces[frame.index]]

    def roi_from_detection(self, detection: Detection) -> FaceRoi:
        (cx, cy), (x0, _, x1, _) = box_centre(detection.box), detection.box
        return FaceRoi(cx=cx, cy=cy, side=x1 - x0, rotation=0.0)

    def upright(self, frame: Frame, roi: FaceRoi) -> FaceRoi:
        return roi

    def roi_from_landmarks(self, landmarks: np.ndarray) -> FaceRoi:
        return self.roi_from_detection(Detection(box=landmark_box(landmarks), keypoints=landmarks[:6, :2], score=1.0))

    def fit(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        """The face nearest to each region, absent where none is near."""
        return [self._nearest(self._faces[frame.index], roi) for roi in rois]

    def fit_roughly(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        return self.fit(frame, rois)

    def refined(self, fits: Sequence[MeshFit]) -> list[np.ndarray]:
        return [fit.landmarks for fit in fits]

    @staticmethod
    def _nearest(meshes: Sequence[np.ndarray], roi: FaceRoi) -> MeshFit:
        half = roi.side / 2
        box = (roi.cx - half, roi.cy - half, roi.cx + half, roi.cy + half)
        away = [distance(box, landmark_box(mesh)) for mesh in meshes]
        if not away or min(away) > 0.5:
            return MeshFit(landmarks=np.zeros((478, 3), np.float32), presence=0.0)
        return MeshFit(landmarks=meshes[int(np.argmin(away))], presence=1.0)
