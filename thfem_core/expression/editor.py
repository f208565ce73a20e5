"""The interface of every expression editor, and their registry."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from fractions import Fraction
from typing import Protocol

import torch

from ..face.tracking.track import FaceTrack
from ..media.frame import Frame
from ..registry import Registry
from .request import ExpressionRequest


class ExpressionEditor(Protocol):
    """Frames in, frames out: the same number, order, size and times; memory independent of the length.

    ``needs_faces`` is False for an editor that takes no notice of the tracks: then nobody searches for faces.
    """

    needs_faces: bool

    def edit(
        self,
        frames: Generator[Frame, None, None],
        tracks: Sequence[FaceTrack],
        request: ExpressionRequest,
        *,
        frame_rate: Fraction,
        device: torch.device,
    ) -> Generator[Frame, None, None]:
        """Yield each frame with the chosen faces edited; frames without a chosen face come out as they are."""
        ...


editors: Registry[ExpressionEditor] = Registry("expression editor", package=__package__ or "thfem_core.expression")
editors.register("mesh", ".mesh.editor:MeshEditor")
editors.register("frames", ".frames:FramesEditor")
