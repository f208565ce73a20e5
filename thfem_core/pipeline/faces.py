"""Looking for faces: in a clip, in a reference, in a picture, or in what a host has found already."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import torch

from ..device import one_cpu_thread
from ..errors import InputError
from ..expression.request import ExpressionRequest
from ..face.models import default_face_models
from ..face.tracking.host_landmarks import from_host_landmarks
from ..face.tracking.shots import split_shots
from ..face.tracking.track import FaceChoice, FaceOrder, FaceTrack, FaceTracks
from ..face.tracking.tracker import TrackerConfig, track_faces
from ..media.prefetch import prefetch
from ..media.video import Video
from ..progress import Progress, silent


def find_faces(
    video: Video, *, device: torch.device, config: TrackerConfig | None = None, progress: Progress = silent
) -> FaceTracks:
    """Follow everybody through a clip, in one pass over it.

    Args:
        video: The clip; a thread decodes it ahead.
        device: Where the face networks run.
        config: How to track; None for the defaults.
        progress: Hears of each frame.

    Returns:
        The tracks of all people.
    """
    models = default_face_models(device)
    with one_cpu_thread():
        return track_faces(video, models=models, config=config, progress=progress)


def faces_of_host(video: Video, payload: Mapping[str, Any], *, progress: Progress = silent) -> FaceTracks:
    """Make tracks of landmarks that the ComfyUI host has found.

    Args:
        video: The clip; it is read once, for its scene cuts.
        payload: The host's landmarks, see :mod:`..face.tracking.host_landmarks`.
        progress: Hears of each frame.

    Returns:
        The tracks of all people.

    Raises:
        InputError: The landmarks are of another clip.
    """
    cuts, count = [], 0
    with closing(prefetch(video.frames())) as frames:
        for frame, is_cut in split_shots(frames):
            count += 1
            if is_cut:
                cuts.append(frame.index)
            progress("Finding scene cuts", count, video.info.frame_count)
    tracks = from_host_landmarks(payload, video.info.frame_rate, cuts=cuts)
    if tracks.frame_count != count:
        raise InputError(f"the face landmarks are of {tracks.frame_count} frames, but {video.info.name} has {count}")
    return tracks


def choose_faces(tracks: FaceTracks, choice: FaceChoice, order: FaceOrder) -> tuple[FaceTrack, ...]:
    """Choose among the faces of a clip.

    Args:
        tracks: Everybody in the clip.
        choice: ``largest``, ``all`` or a number from 0.
        order: How faces are numbered.

    Returns:
        The chosen tracks; none for a clip without any face.

    Raises:
        InputError: There are faces, but not the one asked for.
    """
    try:
        tracks.select("all")
    except InputError:
        return ()
    return tracks.select(choice, order=order)


def with_reference_face(
    request: ExpressionRequest | None, *, device: torch.device, progress: Progress = silent
) -> ExpressionRequest | None:
    """Look for the largest face of a request's reference, where nobody has looked yet.

    Args:
        request: What is asked for, with or without a reference.
        device: Where the face networks run.
        progress: Hears of each frame of the reference.

    Returns:
        The request; its reference, if any, has a track.

    Raises:
        InputError: The reference shows no face.
    """
    if request is None or request.reference is None or request.reference.track is not None:
        return request
    tracks = find_faces(request.reference.video, device=device, progress=progress)
    longest = max(tracks.select("largest"), key=lambda track: track.stop_frame - track.first_frame)
    return replace(request, reference=replace(request.reference, track=longest))
