"""Head pose encoder "mesh": the pose that carries the average face onto the tracked mesh; needs no network."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ..face.mesh.canonical import canonical_mesh
from ..face.pose import HeadPose, head_pose
from ..face.tracking.track import FaceTrack
from .encoder import HeadPoses


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshPoseEncoder:
    """canonical: (478, 3), the face whose pose is measured; by default the average face."""

    canonical: np.ndarray = field(default_factory=canonical_mesh)

    def encode(self, track: FaceTrack) -> HeadPoses:
        return HeadPoses(track=track, read=partial(self._read, track))

    def _read(self, track: FaceTrack, start: int, stop: int) -> HeadPose:
        count = max(stop - start, 0)
        landmarks = track.samples(start, start + count).landmarks
        there = ~np.isnan(landmarks[:, 0, 0])
        found = head_pose(landmarks[there], self.canonical)

        def placed(values: np.ndarray) -> np.ndarray:
            whole = np.full((count, *values.shape[1:]), np.nan)
            whole[there] = values
            return whole

        return HeadPose(
            scale=placed(found.scale), rotation=placed(found.rotation), translation=placed(found.translation)
        )
