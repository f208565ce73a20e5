"""Head poses from the tracked face mesh."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ...face.mesh.canonical import canonical_mesh
from ...face.pose import HeadPose, head_pose
from ...face.tracking.track import FaceTrack
from ...options import Options
from ...registry import Resources
from ..encoder import HeadPoses


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshPoseEncoder:
    """Finds the pose that carries a canonical face onto each tracked mesh (see :func:`...face.pose.head_pose`).

    canonical: float (478, 3), the face whose pose is measured; the average face by default.
    """

    canonical: np.ndarray = field(default_factory=canonical_mesh)

    def encode(self, track: FaceTrack) -> HeadPoses:
        """Encode one person (see :meth:`..encoder.PoseEncoder.encode`)."""
        return HeadPoses(track=track, read=partial(self._read, track))

    def _read(self, track: FaceTrack, start: int, stop: int) -> HeadPose:
        count = max(stop - start, 0)
        landmarks = track.samples(start, start + count).landmarks
        present = ~np.isnan(landmarks[:, 0, 0])
        found = head_pose(landmarks[present], self.canonical)

        def with_gaps(values: np.ndarray) -> np.ndarray:
            """The rows of present frames, and NaN where the person is absent."""
            rows = np.full((count, *values.shape[1:]), np.nan)
            rows[present] = values
            return rows

        return HeadPose(
            scale=with_gaps(found.scale), rotation=with_gaps(found.rotation), translation=with_gaps(found.translation)
        )


def load(options: Options, resources: Resources) -> MeshPoseEncoder:
    """Make the encoder; it has no options and needs no resources."""
    return MeshPoseEncoder()
