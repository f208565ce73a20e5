"""The sockets of this pack and what travels on them.

THFEM_TRACK carries a :class:`TrackedFaces`: small, immutable, safe for the host to cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from comfy_api.latest import io

from ..thfem_core.face.track import FaceOrder, FaceTracks

Track = io.Custom("THFEM_TRACK")
HostLandmarks = io.Custom("FACE_LANDMARKS")  # of the host's own MediaPipe nodes, where it has them


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedFaces:
    """Everybody in a clip, and the order that gives each face the number of the preview picture."""

    tracks: FaceTracks
    order: FaceOrder
