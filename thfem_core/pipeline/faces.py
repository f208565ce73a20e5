"""Looking for faces: in a clip, in a reference, in a picture, or in what a host has found already."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..device import one_cpu_thread
from ..errors import InputError
from ..expression.request import ExpressionRequest
from ..face.models import default_face_models
from ..face.tracking.host_landmarks import from_host_landmarks
from ..face.tracking.shots import split_shots
from ..face.tracking.track import FaceChoice, FaceOrder, FaceTrack, FaceTracks
from ..face.tracking.tracker import track_faces
from ..face.tracking.tracker_config import TrackerConfig
from ..loaded import Kept
from ..media.identity import clip_identity
from ..media.prefetch import prefetch
from ..media.video import Video
from ..progress import Progress, silent
from .config import EditConfig
from .still import StillVideo

KEPT_CLIPS = 8
_KEPT: Kept[FaceTracks] = Kept(KEPT_CLIPS)  # small: landmarks rest on disk


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
    with one_cpu_thread():
        return track_faces(video, models=default_face_models(device), config=config, progress=progress)


def kept_faces(video: Video) -> FaceTracks | None:
    """Faces of a clip that :func:`find_faces_once` has found before, as long as they are kept."""
    identity = clip_identity(video)
    return None if identity is None else _KEPT.get((identity, TrackerConfig()))


def find_faces_once(
    video: Video, *, device: torch.device, config: TrackerConfig | None = None, progress: Progress = silent
) -> FaceTracks:
    """Do :func:`find_faces`, unless it was done to this clip before; the last :data:`KEPT_CLIPS` clips are kept.

    Args:
        video: The clip.
        device: Where the face networks run.
        config: How to track; None for the defaults.
        progress: Hears of each frame.

    Returns:
        The tracks of all people.
    """
    config, identity = config or TrackerConfig(), clip_identity(video)
    return _KEPT.get_or_make(
        None if identity is None else (identity, config),
        lambda: find_faces(video, device=device, config=config, progress=progress),
    )


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


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenFaces:
    """Whom an edit edits.

    tracks: Everybody in the clip; None if nobody looked.
    chosen: Those of them that are edited.
    request: The expression to give them; its reference, if any, has a track.
    seconds: How long the search took.
    """

    tracks: FaceTracks | None
    chosen: tuple[FaceTrack, ...]
    request: ExpressionRequest | None
    seconds: float


def find_chosen_faces(
    video: Video,
    config: EditConfig,
    *,
    tracks: FaceTracks | None,
    needed: bool,
    must_speak: bool,
    keep: bool = False,
    device: torch.device,
    progress: Progress = silent,
) -> ChosenFaces:
    """Look for the faces of a clip and of the reference, as far as nobody has yet, and choose whom to edit.

    Args:
        video: The unedited clip; a still video is searched as one picture.
        config: Whom to choose, and the reference.
        tracks: Faces that a caller knows already.
        needed: Whether the clip is to be searched.
        must_speak: Whether a clip without any face is a fault.
        keep: Whether to keep what was found for the next edit of these clips.
        device: Where the face networks run.
        progress: Hears of each frame.

    Returns:
        The faces.

    Raises:
        InputError: The tracks are of another clip, the reference shows no face, or the clip has not the face that
            was asked for.
    """
    if tracks is not None:
        _check_size(tracks, video)
    start = time.perf_counter()
    find = find_faces_once if keep else find_faces
    request = with_reference_face(config.request, find=find, device=device, progress=progress)
    still = video if isinstance(video, StillVideo) else None
    if tracks is None and needed:
        tracks = find(video if still is None else still.picture, device=device, progress=progress)
    if tracks is not None and still is not None:
        tracks = still.stretch_faces(tracks)
    chosen: tuple[FaceTrack, ...] = ()
    if tracks is not None and must_speak:
        chosen = tracks.select(config.face, order=config.face_order)
    elif tracks is not None:
        chosen = choose_faces(tracks, config.face, config.face_order)
    return ChosenFaces(tracks=tracks, chosen=chosen, request=request, seconds=time.perf_counter() - start)


def with_reference_face(
    request: ExpressionRequest | None,
    *,
    find: Callable[..., FaceTracks] = find_faces_once,
    device: torch.device,
    progress: Progress = silent,
) -> ExpressionRequest | None:
    """Look for the largest face of a request's reference, where nobody has looked yet.

    Args:
        request: What is asked of an editor; None without an editor.
        find: Finds faces: :func:`find_faces`, or :func:`find_faces_once` to keep them.
        device: Where the face networks run.
        progress: Hears of each frame.

    Returns:
        The request.

    Raises:
        InputError: The reference shows no face.
    """
    if request is None or request.reference is None or request.reference.track is not None:
        return request
    tracks = find(request.reference.video, device=device, progress=progress)
    longest = max(tracks.select("largest"), key=lambda track: track.stop_frame - track.first_frame)
    return replace(request, reference=replace(request.reference, track=longest))


def _check_size(tracks: FaceTracks, video: Video) -> None:
    """Refuse tracks that were made on a clip of another size."""
    size, info = tracks.size, video.info
    if size != (info.width, info.height):
        raise InputError(
            f"the tracks were made on a clip of {size[0]}×{size[1]} px, but {info.name} has {info.width}×{info.height};"
            " connect Track Faces to the same clip"
        )
