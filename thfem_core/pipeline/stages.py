"""The stages of an edit: each takes frames and gives frames."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import torch

from ..expression.editor import ExpressionEditor, LandmarkEditor
from ..expression.request import ExpressionRequest
from ..face.occlusion.clip import ClipOcclusion
from ..face.tracking.edited_landmarks import EditedLandmarks
from ..face.tracking.track import FaceTrack
from ..media.frame import Frame
from ..talking_head.redraw import PreparedTalkingHead, redraw_faces


class Stage(Protocol):
    """A step of an edit.

    needs_faces: Whether frames without a chosen face pass through it unchanged.
    """

    @property
    def needs_faces(self) -> bool: ...

    def __call__(self, frames: Generator[Frame, None, None]) -> Generator[Frame, None, None]:
        """Process a stream.

        Args:
            frames: Frames in order, index from 0.

        Returns:
            As many frames, in order, of the same size and times.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpressionStage:
    """Edits the expression of faces (paper Eq. 1).

    editor: What edits.
    request: The expression to give.
    tracks: The faces to edit.
    frame_rate: Frames per second.
    device: Where networks run.
    edited: Takes the landmarks of edited faces, if the editor knows them and somebody wants them.
    occlusion: What is in front of the faces; None if nobody looks.
    """

    editor: ExpressionEditor
    request: ExpressionRequest
    tracks: Sequence[FaceTrack]
    frame_rate: Fraction
    device: torch.device
    edited: EditedLandmarks | None = None
    occlusion: ClipOcclusion | None = None

    @property
    def needs_faces(self) -> bool:
        return self.editor.needs_faces

    @property
    def draws_lips(self) -> bool:
        """Whether the editor draws lips by the sound, too."""
        return getattr(self.editor, "draws_lips", False)

    def __call__(self, frames: Generator[Frame, None, None]) -> Generator[Frame, None, None]:
        rate, device = self.frame_rate, self.device
        if isinstance(self.editor, LandmarkEditor):
            return self.editor.edit_with_landmarks(
                frames,
                self.tracks,
                self.request,
                frame_rate=rate,
                device=device,
                edited=self.edited,
                occlusion=self.occlusion,
            )
        return self.editor.edit(frames, self.tracks, self.request, frame_rate=rate, device=device)


@dataclass(frozen=True, kw_only=True, slots=True)
class LipStage:
    """Draws the lips of faces as the speech says (paper, Eq. 3 and 5).

    prepared: The talking head and the speech.
    tracks: The faces to draw, followed through the unedited clip.
    frame_rate: Frames per second.
    device: Where networks run.
    edited: Landmarks of edited faces, as far as an earlier stage knows them.
    occlusion: What is in front of the faces; None if nobody looks.
    needs_faces: Frames without a face pass through.
    """

    prepared: PreparedTalkingHead
    tracks: Sequence[FaceTrack]
    frame_rate: Fraction
    device: torch.device
    edited: EditedLandmarks | None = None
    occlusion: ClipOcclusion | None = None
    needs_faces: bool = True

    def __call__(self, frames: Generator[Frame, None, None]) -> Generator[Frame, None, None]:
        return redraw_faces(
            frames,
            self.tracks,
            self.prepared,
            frame_rate=self.frame_rate,
            device=self.device,
            edited=self.edited,
            occlusion=self.occlusion,
        )
