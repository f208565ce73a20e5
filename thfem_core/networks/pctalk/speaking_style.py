"""How somebody speaks, read from a clip of them, for PC-Talk's lips."""

from __future__ import annotations

import os
from contextlib import closing
from itertools import islice
from math import ceil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...device import one_cpu_thread
from ...errors import InputError
from ...face.models import default_face_models
from ...face.tracking.shots import split_shots
from ...face.tracking.tracker import track_shots
from ...face.tracking.tracker_config import TrackerConfig
from ...media.open_video import open_video
from ...media.video import Video
from ..liveportrait.drawing import FaceDrawer
from ..liveportrait.keypoints import FaceMotion
from ..liveportrait.reading import read_faces
from ..liveportrait.regions import LIP_ROWS
from .motion import STYLE_FRAMES, StyleEncoder, by_axis
from .speech import FRAME_RATE

_LOOKED_AT = 20  # seconds of a clip in which a face is looked for


def read_speaking_style(clip: Video | str | Path, encoder: StyleEncoder, drawer: FaceDrawer) -> Tensor:
    """Read how the largest face at the start of a clip speaks.

    Args:
        clip: Of somebody who speaks, or its path; four seconds are read.
        encoder: PC-Talk's style encoder.
        drawer: Reads keypoints.

    Returns:
        (1, 512) on the encoder's device.

    Raises:
        InputError: The clip cannot be read or shows no face clearly.
    """
    video = open_video(clip) if isinstance(clip, (str, os.PathLike)) else clip
    info, config = video.info, TrackerConfig()
    with closing(video.frames()) as frames, one_cpu_thread():
        opening = islice(frames, ceil(_LOOKED_AT * info.frame_rate))
        shots = split_shots(opening, config.cuts)
        tracks = track_shots(shots, info=info, models=default_face_models(drawer.device), config=config)
    track = max(tracks.select("largest"), key=lambda track: track.stop_frame - track.first_frame)
    clear = track.first_frame + np.flatnonzero(track.samples(track.first_frame, track.stop_frame).weight > 0)
    if not len(clear):
        raise InputError(f"the face in {info.name} is turned too far or cut off; give a clip that shows it clearly")
    steps = np.arange(STYLE_FRAMES) * float(info.frame_rate / FRAME_RATE)
    chosen = sorted({int(clear[0] + step) for step in steps} & set(clear.tolist()))
    return speaking_style(read_faces(video, track, drawer, chosen), encoder)


@torch.inference_mode()
def speaking_style(faces: FaceMotion, encoder: StyleEncoder) -> Tensor:
    """How lips move in N frames at 25 per second, which go back and forth where they are too few: (1, 512)."""
    lips = faces.scale[..., None] * faces.expression[:, LIP_ROWS]
    count = len(lips)
    numbers = torch.arange(STYLE_FRAMES) % (2 * count)
    chosen = torch.minimum(numbers, 2 * count - 1 - numbers)
    device = encoder.vertice_map.weight.device
    return encoder(by_axis(lips[chosen])[None].to(device))
