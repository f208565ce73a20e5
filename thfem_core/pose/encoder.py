"""The interface of every head pose encoder (E_p in Eq. 5 of the paper), and their registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..registry import Registry

if TYPE_CHECKING:
    from ..face.pose import HeadPose
    from ..face.tracking.track import FaceTrack


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class HeadPoses:
    """One person's head poses over a clip: small and immutable, computed block by block as they are read.

    Convention of :mod:`..face.pose`: a point p of the canonical face (unit: 1 % of the distance between the outer eye
    corners, origin between them) is seen at scale · rotation · p + translation, in pixels of the full frame. Poses are
    those of the unedited clip; an edit of the expression does not move the head.

    track: The person.
    read: ``read(start, stop)`` gives the poses of these frames, T = stop - start; NaN where the person is absent.
    """

    track: FaceTrack
    read: Callable[[int, int], HeadPose]


class PoseEncoder(Protocol):
    """Reads head poses of tracked people."""

    def encode(self, track: FaceTrack) -> HeadPoses:
        """Encode one person.

        Args:
            track: The person's track, found on the unedited clip.

        Returns:
            Their head poses; nothing is computed before they are read.
        """
        ...


pose_encoders: Registry[PoseEncoder] = Registry("head pose encoder", package=__package__ or "thfem_core.pose")
pose_encoders.register("mesh", ".mesh")
