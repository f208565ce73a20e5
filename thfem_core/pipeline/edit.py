"""Preparing an edit of a clip: everything is checked and loaded, then faces are looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ..audio.speech import Speech
from ..device import one_cpu_thread
from ..expression.editor import editors
from ..face.tracking.edited_landmarks import EditedLandmarks
from ..face.tracking.track import FaceTracks
from ..media.sound import Sound
from ..media.video import Video
from ..pose.encoder import HeadPoses
from ..progress import Progress, silent
from ..registry import Resources
from .config import EditConfig
from .faces import find_chosen_faces
from .licence import permissive
from .lips import fit_to_clip, heard_speech, prepare_lips
from .occlusion import LookStage, RestoreStage, check_mask, prepare_occlusion
from .prepared_edit import PreparedEdit
from .stages import ExpressionStage, LipStage, Stage
from .still import StillVideo


@one_cpu_thread()
def edit(
    video: Video,
    config: EditConfig | None = None,
    *,
    device: torch.device,
    tracks: FaceTracks | None = None,
    sound: Sound | Speech | None = None,
    poses: Sequence[HeadPoses] = (),
    folders: Sequence[Path] = (),
    keep_faces: bool = False,
    progress: Progress = silent,
) -> PreparedEdit:
    """Prepare an edit: check and load everything, then look for faces.

    Args:
        video: The clip. A :class:`.still.StillVideo` is a portrait that speaks: all its frames are drawn from the
            picture.
        config: What to do; None for the defaults, which draw lips and leave the expression.
        device: Where networks run.
        tracks: Faces of the unedited clip (of the picture, for a still video), which spares the search.
        sound: What moves the lips in place of the clip's own sound. A Sound is also heard in the result, cut to the
            clip; with the drive ``audio`` somebody must be there to speak it.
        poses: Head poses that are known already; those of other people are read from their tracks.
        folders: Where model files are searched before the usual folders.
        keep_faces: Whether to remember the faces of the clip and of the reference, so that the next edit of them need
            not search again.
        progress: Hears of model files and of the search for faces; whoever reads the frames reports those.

    Returns:
        The edit, ready to run.

    Raises:
        InputError: The clip, the sound or the choice of faces does not fit the config.
        WeightsError: Model files are missing or unusable.
    """
    config, left_out = permissive(config or EditConfig())
    warnings = [*left_out, *check_mask(video, config.occlusion)]
    resources = Resources(device=device, folders=tuple(folders), progress=progress)

    # all that can be wrong or missing is found before the first pass over a clip
    new_sound = fit_to_clip(sound, video, warn=warnings.append) if isinstance(sound, Sound) else None
    editor = config.editor if config.request is not None else None
    if isinstance(editor, str):
        editor = editors.create(editor, config.editor_options, resources)
    lips = prepare_lips(
        video, config, editor=editor, sound=new_sound or sound, poses=poses, resources=resources, warn=warnings.append
    )
    faces = find_chosen_faces(
        video,
        config,
        tracks=tracks,
        needed=lips is not None or (editor is not None and editor.needs_faces),
        must_speak=isinstance(video, StillVideo) or (new_sound is not None and config.drive == "audio"),
        keep=keep_faces,
        device=device,
        progress=progress,
    )

    rate, stages = video.info.frame_rate, list[Stage]()
    chosen, request = faces.chosen, faces.request
    if request is not None and getattr(editor, "needs_speech", False):
        request = replace(request, speech=heard_speech(video, new_sound or sound, lips, warn=warnings.append))
    edited = EditedLandmarks() if lips is not None else None
    occlusion = prepare_occlusion(video, chosen, config.occlusion, device=device)
    # frames that an editor brings are looked at as it brings them: of another picture nothing can be restored
    brought = editor is not None and not editor.needs_faces
    if occlusion is not None and not brought:
        stages.append(LookStage(occlusion=occlusion))
    if editor is not None and request is not None:
        stages.append(
            ExpressionStage(
                editor=editor,
                request=request,
                tracks=chosen,
                frame_rate=rate,
                device=device,
                edited=edited,
                occlusion=occlusion,
            )
        )
    if occlusion is not None and brought:
        stages.append(LookStage(occlusion=occlusion))
    if lips is not None and chosen:
        stages.append(
            LipStage(prepared=lips, tracks=chosen, frame_rate=rate, device=device, edited=edited, occlusion=occlusion)
        )
    if occlusion is not None:
        stages.append(RestoreStage(occlusion=occlusion))
    return PreparedEdit(video, stages, faces=faces, sound=new_sound, lips=lips, occlusion=occlusion, warnings=warnings)
