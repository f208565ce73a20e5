"""The interface of every talking head, and their registry.

A talking head G draws a face from a source frame and from the sound, I_o = G(I_s, E(A)) (paper, Eq. 3); in the
two-stage pipeline the source is an edited frame, and the head pose is known as well (Eq. 5). A back end draws faces
only: which frame is the source of which (:mod:`.windows`), cross-fades and pasting (:mod:`.scheduler`) are the same for
all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, get_args, runtime_checkable

from ..errors import InputError
from ..registry import Registry

if TYPE_CHECKING:
    from fractions import Fraction

    import numpy as np
    import torch

    from ..audio.speech import Speech
    from ..face.tracking.edited_landmarks import EditedLandmarks
    from ..face.tracking.track import FaceTrack
    from ..media.frame import Box, Frame
    from ..pose.encoder import HeadPoses

# What moves the lips. audio: the sound alone (the paper). original: the lips of the unedited clip, which say the same.
# blend: those of the unedited clip, and the sound where they are hidden.
Drive = Literal["audio", "original", "blend"]


def check_drive(drive: str) -> None:
    """Check a word for what moves the lips.

    Args:
        drive: Should be one of :data:`Drive`.

    Raises:
        InputError: It is not; the message lists the choices.
    """
    if drive not in get_args(Drive):
        raise InputError(f"drive is {drive!r}; give one of: {', '.join(get_args(Drive))}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FacePatch:
    """A drawn face, ready to be pasted.

    box: Where it belongs in the frame; may reach beyond its borders.
    rgb: uint8 (h, w, 3), the drawn pixels of ``box``.
    alpha: float32 (h, w) in 0..1, their opacity.
    """

    box: Box
    rgb: np.ndarray
    alpha: np.ndarray


# What a back end answers for one frame: a drawn face, or why the face stays as it is, in words for the user.
PatchOrReason: TypeAlias = FacePatch | str


@dataclass(frozen=True, kw_only=True, slots=True)
class AdjacentWindow:
    """One prediction of the paper: a few adjacent frames, all drawn from the picture of one source frame.

    source: The frame whose pixels are used.
    targets: The frames to draw, rising; they show what surrounds the face, and a back end may also look at their faces.
    """

    source: Frame
    targets: tuple[Frame, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceClip:
    """One person to draw through one clip.

    track: Where the face is, found on the unedited clip.
    speech: The sound of the clip, or None for a silent one.
    frame_rate: Frames per second; frame i is shown from i / frame_rate on.
    device: Where networks run.
    drive: What moves the lips.
    emotion: One of the seven that the face shows; None leaves it to the back end.
    poses: Head poses that somebody encoded already; None leaves it to the back end.
    edited: Landmarks of the edited faces, as far as an editor knows them; others have to be fitted.
    """

    track: FaceTrack
    speech: Speech | None
    frame_rate: Fraction
    device: torch.device
    drive: Drive = "blend"
    emotion: str | None = None
    poses: HeadPoses | None = None
    edited: EditedLandmarks | None = None


class FaceSession(Protocol):
    """Draws one person through one clip.

    lookahead: How many frames after its last target must have been observed before a window can be predicted; at the
        end of the track there may be fewer.
    """

    lookahead: int

    def observe(self, frame: Frame) -> None:
        """See an edited frame.

        Args:
            frame: The next frame of the track; every one of them is given, in order.
        """
        ...

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[PatchOrReason]]:
        """Draw every target of every window.

        Args:
            windows: Windows in order, each given once. How many come in one call does not change the result.

        Returns:
            For each window one entry per target: a drawn face, or why the face stays as it is.
        """
        ...


class TalkingHead(Protocol):
    """A loaded talking head.

    drives: The ways in which its lips can be moved, its own choice first.
    """

    drives: tuple[Drive, ...]

    def open_face(self, clip: FaceClip) -> FaceSession:
        """Begin with one person.

        Args:
            clip: The person, the sound and how to draw.

        Returns:
            A session for this person alone.

        Raises:
            InputError: The clip lacks what the drive needs, such as sound for "audio".
        """
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
talking_heads.register("pctalk", ".pctalk")
