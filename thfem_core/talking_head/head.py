"""The interface of every talking head, and their registry.

Equations 2–4 of the paper: from one source frame, and the sound and head pose of n adjacent frames, n frames are drawn.
A back end draws faces only; which frame is the source of which (:mod:`.windows`), cross-fades and pasting
(:mod:`.scheduler`) are the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
import torch

from ..audio.speech import Speech
from ..errors import InputError
from ..face.tracking.track import FaceTrack
from ..media.frame import Box, Frame
from ..pose.encoder import HeadPoses
from ..registry import Registry

# What moves the lips. audio: the sound alone (the paper). original: the lips of the unedited clip, which say the same.
# blend: the original's, and the sound where they are hidden or lost.
Drive = Literal["audio", "original", "blend"]


def check_drive(drive: str) -> None:
    """Raises InputError if ``drive`` is none of :data:`Drive`."""
    if drive not in get_args(Drive):
        raise InputError(f"drive is {drive!r}; give one of: {', '.join(get_args(Drive))}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FacePatch:
    """A drawn face, ready to be pasted: rgb (h, w, 3) uint8, alpha (h, w) float32 0..1, over the pixels of ``box``."""

    box: Box
    rgb: np.ndarray
    alpha: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class AdjacentWindow:
    """One prediction: the picture of ``source``, drawn again as each of ``targets`` (edited frames, in order; their
    ``index`` says which). The targets show what surrounds the face; a back end may look at their faces or not."""

    source: Frame
    targets: tuple[Frame, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceClip:
    """One person to draw.

    track: where the face is, found on the unedited clip; every frame of it that is observed may be drawn.
    speech: the clip's sound, or None for a silent clip. frame_rate: of the clip; frame i lasts from i / frame_rate on.
    device: where networks run. poses: of the head, read only where a back end asks for them; None: nobody encoded them.
    emotion: one of the seven that the face shows, where the caller knows it; None leaves it to the back end.
    """

    track: FaceTrack
    speech: Speech | None
    frame_rate: Fraction
    device: torch.device
    drive: Drive = "blend"
    emotion: str | None = None
    poses: HeadPoses | None = None


class FaceSession(Protocol):
    """Drawing one person through one clip. ``lookahead``: how many frames after a window's last target must have been
    observed before the window can be predicted (fewer at the end of the track)."""

    lookahead: int

    def observe(self, frame: Frame) -> None:
        """See an edited frame. Called once for every frame of the track, in order."""
        ...

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[FacePatch | None]]:
        """Draw every target of every window; None where the face should stay as it is. Windows come in order, each
        once, and the result does not depend on how many come in one call."""
        ...


class TalkingHead(Protocol):
    """A loaded talking head. ``drives``: the ways it can be driven."""

    drives: tuple[Drive, ...]

    def open_face(self, clip: FaceClip) -> FaceSession:
        """Begin with one person. Raises InputError if the clip lacks what the drive needs (sound, for "audio")."""
        ...


@runtime_checkable
class OwnsNetworks(Protocol):
    """A talking head whose networks somebody else may move between devices while it does not draw.

    networks: All of its networks. Sessions move them to their clip's device themselves if they are elsewhere.
    """

    networks: torch.nn.Module


talking_heads: Registry[TalkingHead] = Registry("talking head", package=__package__ or "thfem_core.talking_head")
talking_heads.register("mouth", ".mouth")
talking_heads.register("eat", ".eat")
talking_heads.register("eamm", ".eamm")
