"""Track Faces: who is in the clip, and which number each face has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import torch
from comfy_api.latest import io, ui

from ..thfem_core.face.preview import face_numbers, numbered_preview
from ..thfem_core.face.tracking.track import FaceOrder
from ..thfem_core.face.tracking.tracker_config import TrackerConfig
from ..thfem_core.pipeline import faces_of_host, find_faces
from .host import CATEGORY, HostProgress, schema, work_device
from .payloads import HostLandmarks, Track, TrackedFaces
from .video_sockets import clip_from_socket, fps_input


class TrackFaces(io.ComfyNode):
    """THFEM_TrackFaces: one pass over the clip; later nodes reuse the result."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_TrackFaces",
            display_name="Track Faces (THFEM)",
            category=f"{CATEGORY}/face",
            description="Find everybody in a clip and follow them through it. The preview shows each face's number.",
            search_aliases=["face detection", "face landmarks", "face mesh", "face index", "find faces"],
            inputs=[
                io.MultiType.Input("video", [io.Video, io.Image], tooltip="The clip: a video, or a batch of images."),
                io.Combo.Input(
                    "order",
                    options=list(get_args(FaceOrder)),
                    default="left-right",
                    tooltip="How faces are numbered: from left to right, or from the largest to the smallest.",
                ),
                io.Int.Input(
                    "max_faces",
                    default=TrackerConfig().max_faces,
                    min=1,
                    max=32,
                    tooltip="Follow at most this many people at a time; fewer is faster.",
                ),
                fps_input(),
                HostLandmarks.Input(
                    "landmarks",
                    optional=True,
                    tooltip="Face landmarks that the host's MediaPipe Face Landmarker found in the same clip; "
                    "used instead of searching again.",
                ),
            ],
            has_intermediate_output=True,
            outputs=[
                Track.Output(display_name="tracks", tooltip="The faces over time, for the editing nodes."),
                io.Image.Output(display_name="preview", tooltip="A frame of each shot with the faces numbered."),
                io.Int.Output(display_name="face_count", tooltip="The most faces seen in one shot."),
            ],
        )

    @classmethod
    def execute(
        cls, video: object, order: FaceOrder, max_faces: int, fps: float, landmarks: Mapping[str, Any] | None = None
    ) -> io.NodeOutput:
        clip, progress = clip_from_socket(video, fps=fps), HostProgress()
        if landmarks is None:
            config = TrackerConfig(max_faces=max_faces)
            tracks = find_faces(clip, device=work_device(), config=config, progress=progress)
        else:
            tracks = faces_of_host(clip, landmarks, progress=progress)
        picture = torch.from_numpy(numbered_preview(clip, tracks, order=order)).float().div(255)[None]
        return io.NodeOutput(
            TrackedFaces(tracks=tracks, order=order),
            picture,
            max(face_numbers(tracks, order).values(), default=-1) + 1,
            ui=ui.PreviewImage(picture, cls=cls),
        )
