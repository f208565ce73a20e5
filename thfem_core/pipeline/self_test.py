"""Trying a back end on the user's own machine: the demo clip's face, drawn as it is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch

from ..errors import InputError
from ..face.tracking.track import FaceTrack
from ..media.frame import Frame
from ..media.open_video import open_video
from ..progress import Progress, silent
from .faces import find_faces

DEMO_CLIP = Path(__file__).resolve().parents[1] / "assets" / "demo.mp4"
_FRAMES = 4


@runtime_checkable
class TestsItself(Protocol):
    """A back end that can judge whether its files work."""

    def self_test(self, frames: list[Frame], track: FaceTrack, *, device: torch.device) -> str:
        """Draw frames unchanged, and say how like them the result is.

        Args:
            frames: Of a clip.
            track: The face in it.
            device: Where networks run.

        Returns:
            Numbers and a verdict, for people.
        """
        ...


def self_test(back_end: object, *, device: torch.device, progress: Progress = silent) -> str:
    """Let a back end try itself on the demo clip.

    Args:
        back_end: Loaded.
        device: Where networks run.
        progress: Hears of the search for the face.

    Returns:
        What it says.

    Raises:
        InputError: It has no self-test.
    """
    if not isinstance(back_end, TestsItself):
        raise InputError(f"{type(back_end).__name__} has no self-test; edit a clip to see what it draws")
    video = open_video(DEMO_CLIP)
    tracks = find_faces(video, device=device, progress=progress)
    (track, *_) = tracks.select("largest")
    frames: list[Frame] = []
    with closing(video.frames()) as stream:
        for frame in stream:
            if frame.index % 20 == 10:
                frames.append(frame)
            if len(frames) == _FRAMES:
                break
    return back_end.self_test(frames, track, device=device)
