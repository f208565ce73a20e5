"""Read Head Poses: how every tracked head is turned, where and how large, in every frame."""

from __future__ import annotations

import numpy as np
from comfy_api.latest import io

from ..thfem_core.face.preview import face_numbers
from ..thfem_core.face.tracking.track import FaceTrack
from ..thfem_core.pose.encoder import HeadPoses, pose_encoders
from ..thfem_core.pose.vectors import pose_vectors
from .back_end_inputs import back_end_input
from .host import CATEGORY, HostProgress, schema
from .payloads import EncodedPoses, Pose, Track, TrackedFaces

BLOCK = 256  # frames read at once


class PoseEncode(io.ComfyNode):
    """THFEM_PoseEncode: the head pose encoder of the paper's second stage."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_PoseEncode",
            display_name="Read Head Poses (THFEM)",
            category=f"{CATEGORY}/talking head",
            description="Read the head pose of every tracked face in every frame, for the talking head.",
            search_aliases=["Pose Encode", "head pose", "yaw pitch roll", "head rotation", "pose encoder"],
            inputs=[
                Track.Input("tracks", tooltip="From Track Faces, made on the clip before the edit."),
                back_end_input("encoder", pose_encoders, purpose="How poses are read"),
            ],
            outputs=[
                Pose.Output(display_name="poses", tooltip="Head poses, for Redraw Lips."),
                io.String.Output(
                    display_name="summary", tooltip="Angles, size and place of each face, lowest, mean and highest."
                ),
            ],
        )

    @classmethod
    def execute(cls, tracks: TrackedFaces, encoder: str) -> io.NodeOutput:
        encode, progress = pose_encoders.create(encoder).encode, HostProgress()
        poses = tuple(encode(track) for track in tracks.tracks.tracks)
        numbers = face_numbers(tracks.tracks, tracks.order)
        lines = []
        for done, each in enumerate(poses, 1):
            if each.track.track_id in numbers:
                lines.append(f"face {numbers[each.track.track_id]}, {_frames(each.track)}: {_ranges(each)}")
            progress("Reading head poses", done, len(poses))
        summary = "\n".join(lines) or "no face"
        return io.NodeOutput(EncodedPoses(tracks=tracks.tracks, poses=poses), summary)


def _frames(track: FaceTrack) -> str:
    return f"frames {track.first_frame}–{track.stop_frame - 1}"


def _ranges(poses: HeadPoses) -> str:
    """Lowest, mean and highest of yaw, pitch, roll, scale and place, read in blocks."""
    low, high, total, count = np.full(6, np.inf), np.full(6, -np.inf), np.zeros(6), 0
    for start in range(poses.track.first_frame, poses.track.stop_frame, BLOCK):
        rows = pose_vectors(poses.read(start, min(start + BLOCK, poses.track.stop_frame)))
        rows = rows[~np.isnan(rows[:, 0])].astype(np.float64)
        if len(rows):
            low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
            total, count = total + rows.sum(axis=0), count + len(rows)
    mean = total / max(count, 1)
    words = [
        f"{name} {low[i]:.{digits}f} … {mean[i]:.{digits}f} … {high[i]:.{digits}f}{unit}"
        for i, (name, digits, unit) in enumerate(
            [("yaw", 0, "°"), ("pitch", 0, "°"), ("roll", 0, "°"), ("scale", 2, ""), ("x", 0, " px"), ("y", 0, " px")]
        )
    ]
    return ", ".join(words)
