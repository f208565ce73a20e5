"""Tracking everybody through a clip in one streaming pass."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing

from ...media.frame import Frame
from ...media.prefetch import prefetch
from ...media.video import Video, VideoInfo
from ...progress import Progress, silent
from ..mesh.canonical import canonical_mesh
from ..models import Detection, FaceModels
from .appearances import Appearances
from .clip_faces import ClipFaces, ClipTrack
from .shot_tracker import ShotTracker
from .shots import split_shots
from .tracker_config import TrackerConfig


def track_faces(
    video: Video, *, models: FaceModels, config: TrackerConfig | None = None, progress: Progress = silent
) -> ClipFaces:
    """Track everybody in a clip.

    Args:
        video: Read once, as a stream.
        models: Networks that find faces and fit meshes.
        config: Settings.
        progress: Hears of the stage "Finding faces" after each frame.

    Returns:
        Tracks of all people; their landmarks rest in a nameless temporary file that goes with the result.

    Raises:
        InputError: The video cannot be read.
        OutputError: Temporary space runs out.
    """
    config = config or TrackerConfig()
    shots = split_shots(video.frames(), config.cuts)
    return track_shots(shots, info=video.info, models=models, config=config, progress=progress)


def track_shots(
    frames: Iterable[tuple[Frame, bool]],
    *,
    info: VideoInfo,
    models: FaceModels,
    config: TrackerConfig,
    progress: Progress = silent,
) -> ClipFaces:
    """Do :func:`track_faces` over frames that come with whether a new shot begins at each."""
    tracker = ShotTracker(models, config, info.frame_rate)
    cuts: list[int] = []
    count = 0
    size = (info.width, info.height)
    with closing(prefetch(detections_ahead(frames, models, every=config.detect_every))) as ahead:
        for frame, is_cut, detections in ahead:
            if is_cut:
                cuts.append(frame.index)
                tracker.end_shot(frame.index)
            tracker.step(frame, detections)
            count, size = frame.index + 1, (frame.width, frame.height)
            progress("Finding faces", count, info.frame_count)
    tracker.end_shot(count)
    tracks = (
        ClipTrack(
            track_id=person.track_id,
            appearances=Appearances(
                segments=tuple(person.segments),
                canonical=canonical_mesh(),
                size=size,
                fade=round(config.weight.fade * info.frame_rate),
                max_gap=tracker.max_gap,
                smoothing=config.smoothing,
                weighting=config.weight,
            ),
        )
        for person in sorted(tracker.finished, key=lambda p: p.track_id)
    )
    return ClipFaces(
        name=info.name,
        frame_count=count,
        frame_rate=info.frame_rate,
        size=size,
        tracks=tuple(tracks),
        cuts=tuple(cuts),
        min_frames=max(1, round(config.min_seen * info.frame_rate)),
    )


def detections_ahead(
    frames: Iterable[tuple[Frame, bool]], models: FaceModels, *, every: int
) -> Generator[tuple[Frame, bool, list[Detection] | None], None, None]:
    """Search regularly for faces, which needs nothing but the frame and so can run ahead of the tracking.

    Args:
        frames: Frames, and whether a new shot begins at each.
        models: Networks that find faces.
        every: Frames between searches, counted from each shot's first.

    Yields:
        Each frame, whether a new shot begins at it, and the faces found in it; None where no search is due.
    """
    shot_start = 0
    for frame, is_cut in frames:
        shot_start = frame.index if is_cut else shot_start
        yield frame, is_cut, models.detect(frame) if (frame.index - shot_start) % every == 0 else None
