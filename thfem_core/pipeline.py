"""The whole way from a clip to the edited clip: track, choose faces, edit the expression, draw the lips, write.

Decoding, editing, the talking head and encoding run in threads of their own (PyAV, OpenCV and torch release the
interpreter lock), joined by short queues, so memory does not depend on the length of the clip.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from .device import one_cpu_thread
from .errors import InputError
from .expression.editor import ExpressionEditor, editors
from .expression.request import ExpressionRequest, ReferenceClip
from .face.models import default_face_models
from .face.tracking.host_landmarks import from_host_landmarks
from .face.tracking.shots import split_shots
from .face.tracking.track import FaceChoice, FaceOrder, FaceTrack, FaceTracks
from .face.tracking.tracker import TrackerConfig, track_faces
from .media.encoding import EncodingConfig
from .media.frame import Frame
from .media.open_video import open_video
from .media.prefetch import prefetch
from .media.sound import Sound
from .media.video import Video
from .media.writer import check_video_output, write_video
from .progress import Progress, silent
from .talking_head.head import Drive, TalkingHead
from .talking_head.redraw import LipReport, Talking, prepare_talking, redraw_faces
from .talking_head.windows import WindowConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class EditReport:
    """What :func:`edit_file` did.

    passed_through: runs of frames written unchanged because no chosen face is clear in them.
    faces: chosen tracks (a person counts once per shot); None if nobody looked for faces.
    lips: what the talking head did; None without one.
    warnings: one line each, for the user. seconds: wall time per stage.
    """

    output: Path
    frames: int
    passed_through: tuple[range, ...]
    faces: int | None
    lips: LipReport | None
    sound: Literal["copied", "encoded", "none"]
    warnings: tuple[str, ...]
    seconds: dict[str, float]


def find_faces(
    video: Video, *, device: torch.device, config: TrackerConfig | None = None, progress: Progress = silent
) -> FaceTracks:
    """Track everybody in ``video`` with the embedded face networks; a thread decodes ahead."""
    models = default_face_models(device)
    with one_cpu_thread():
        return track_faces(video, models=models, config=config, progress=progress)


def faces_of_host(video: Video, payload: Mapping[str, Any], *, progress: Progress = silent) -> FaceTracks:
    """Tracks from landmarks that the ComfyUI host found (:mod:`.face.host_landmarks`); ``video`` is read once, for its
    scene cuts. Raises InputError where the landmarks are of another clip."""
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
    """The chosen tracks; empty for a clip without any face, which is passed through rather than refused.

    Raises InputError where there are faces, but not the asked one.
    """
    try:
        tracks.select("all")
    except InputError:
        return ()
    return tracks.select(choice, order=order)


def reference_in(video: Video, *, device: torch.device, progress: Progress = silent) -> ReferenceClip:
    """The largest face of a clip or picture, as an expression to copy. Raises InputError where it shows no face."""
    tracks = find_faces(video, device=device, progress=progress)
    longest = max(tracks.select("largest"), key=lambda track: track.stop_frame - track.first_frame)
    return ReferenceClip(video=video, track=longest)


def open_reference(path: str | os.PathLike[str], *, device: torch.device, progress: Progress = silent) -> ReferenceClip:
    """:func:`reference_in` of a file."""
    return reference_in(open_video(path), device=device, progress=progress)


def _cut_off(video: Video, frames: int) -> tuple[str, ...]:
    """A warning if clearly fewer frames could be read than the container promises (which may be an estimate)."""
    claimed = video.info.frame_count or 0
    if frames >= 0.95 * claimed - 1:
        return ()
    return (f"{video.info.name} seems to be cut off: only {frames} of about {claimed} frames can be read",)


def _shown_emotion(request: ExpressionRequest | None, editor: ExpressionEditor) -> str | None:
    """What the edited faces show, where that is known: "neutral" for another system's frames may mean that nobody said
    what they show."""
    if request is None or not request.strength or (request.emotion == "neutral" and not editor.needs_faces):
        return None
    return request.emotion


def edit_video(
    video: Video,
    request: ExpressionRequest | None,
    *,
    device: torch.device,
    editor: str | ExpressionEditor = "mesh",
    face: FaceChoice = "largest",
    order: FaceOrder = "left-right",
    tracks: FaceTracks | None = None,
    talking_head: str | TalkingHead | Talking | None = "mouth",
    drive: Drive = "blend",
    window: WindowConfig | None = None,
    progress: Progress = silent,
) -> Generator[Frame, None, None]:
    """Yield every frame of ``video`` in order, the chosen faces edited, all else as it was.

    request: None leaves the expression as it is. talking_head: what draws the lips on the edited frames, driven by the
    clip's own sound (see :func:`prepare_talking`); None leaves them to the editor.
    ``tracks``, of this unedited clip, saves the tracking pass if the caller has one already. ``progress`` hears of the
    tracking pass only: whoever consumes the frames reports those. Closing the iterator stops its threads and frees the
    clip.
    """
    if isinstance(editor, str):
        editor = editors.load(editor)()
    talking = talking_head
    if not isinstance(talking, Talking):
        talking = prepare_talking(
            video,
            talking_head,
            drive=drive,
            window=window,
            emotion=_shown_emotion(request, editor),
            device=device,
            progress=progress,
        )
    searches = editor.needs_faces and request is not None
    if tracks is None and (searches or talking is not None):
        tracks = find_faces(video, device=device, progress=progress)
    chosen = choose_faces(tracks, face, order) if tracks is not None else ()
    rate = video.info.frame_rate
    with closing(prefetch(video.frames())) as frames:
        done = frames
        if request is not None:
            done = prefetch(editor.edit(frames, chosen, request, frame_rate=rate, device=device))
        with closing(done):
            if talking is not None and chosen:
                done = prefetch(redraw_faces(done, chosen, talking, frame_rate=rate, device=device))
            with closing(done):
                yield from done


def edit_clip(
    video: Video,
    output: str | os.PathLike[str],
    request: ExpressionRequest | None,
    *,
    device: torch.device,
    editor: str | ExpressionEditor = "mesh",
    face: FaceChoice = "largest",
    order: FaceOrder = "left-right",
    tracks: FaceTracks | None = None,
    talking_head: str | TalkingHead | None = "mouth",
    drive: Drive = "blend",
    window: WindowConfig | None = None,
    sound: Sound | None = None,
    encoding: EncodingConfig | None = None,
    progress: Progress = silent,
) -> EditReport:
    """:func:`edit_video` into a file. sound: moves the lips and is heard in place of the clip's own.

    The output appears only when it is complete; whatever happens before, nothing is left behind.
    Raises InputError, OutputError or WeightsError with one line that says what to do.
    """
    check_video_output(output)  # a bad output name should not cost a tracking pass
    if isinstance(editor, str):
        editor = editors.load(editor)()
    warnings: list[str] = []
    talking = prepare_talking(
        video,
        talking_head,
        drive=drive,
        window=window,
        sound=sound,
        emotion=_shown_emotion(request, editor),
        device=device,
        progress=progress,
        warn=warnings.append,
    )
    start = time.perf_counter()
    searches = editor.needs_faces and request is not None
    if tracks is None and (searches or talking is not None):
        tracks = find_faces(video, device=device, progress=progress)
    tracked = time.perf_counter()
    chosen = choose_faces(tracks, face, order) if tracks is not None else ()
    frames = edit_video(
        video, request, device=device, editor=editor, face=face, order=order, tracks=tracks, talking_head=talking
    )
    heard = sound if sound is not None else "source"
    with closing(frames):
        written = write_video(frames, output, like=video, sound=heard, encoding=encoding, progress=progress)
    # frames that another system edited are never the source's
    unchanged = tracks is not None and (searches or request is None)
    return EditReport(
        output=Path(output),
        frames=written.frame_count,
        passed_through=tuple(tracks.missing_frames(chosen)) if unchanged else (),
        faces=len(chosen) if tracks is not None else None,
        lips=talking.report if talking is not None else None,
        sound=written.sound,
        warnings=(*warnings, *_cut_off(video, written.frame_count), *written.warnings),
        seconds={"tracking": tracked - start, "editing": time.perf_counter() - tracked},
    )


def edit_file(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    request: ExpressionRequest | None,
    *,
    device: torch.device,
    editor: str | ExpressionEditor = "mesh",
    face: FaceChoice = "largest",
    order: FaceOrder = "left-right",
    talking_head: str | TalkingHead | None = "mouth",
    drive: Drive = "blend",
    window: WindowConfig | None = None,
    encoding: EncodingConfig | None = None,
    progress: Progress = silent,
) -> EditReport:
    """:func:`edit_clip` of a file: the same frames, times, size and sound."""
    check_video_output(output)
    return edit_clip(
        open_video(source),
        output,
        request,
        device=device,
        editor=editor,
        face=face,
        order=order,
        talking_head=talking_head,
        drive=drive,
        window=window,
        encoding=encoding,
        progress=progress,
    )
