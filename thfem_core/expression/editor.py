"""The interface of every expression editor, and their registry."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..registry import Registry

if TYPE_CHECKING:
    from fractions import Fraction

    import torch

    from ..face.occlusion.clip import ClipOcclusion
    from ..face.tracking.edited_landmarks import EditedLandmarks
    from ..face.tracking.track import FaceTrack
    from ..media.frame import Frame
    from .request import ExpressionRequest


class ExpressionEditor(Protocol):
    """Changes the expression of faces in a stream of frames (the SPFEM stage, paper Eq. 1).

    needs_faces: False for an editor that brings its own frames, whatever the tracks and the request say; then nobody
        searches for faces on its behalf.
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
        """Edit the chosen faces of a clip.

        Args:
            frames: Source frames in order, index from 0; closing the result closes them.
            tracks: The faces to edit, followed through the source.
            request: The expression to give.
            frame_rate: Frames per second of the source.
            device: Where networks run.

        Returns:
            As many frames, of the same size and times; those without a chosen face as they were. Memory must not grow
            with the length of the clip.
        """
        ...


@runtime_checkable
class LandmarkEditor(ExpressionEditor, Protocol):
    """An editor that knows where its edit puts the landmarks, which spares later stages a fit to every frame."""

    def edit_with_landmarks(
        self,
        frames: Generator[Frame, None, None],
        tracks: Sequence[FaceTrack],
        request: ExpressionRequest,
        *,
        frame_rate: Fraction,
        device: torch.device,
        edited: EditedLandmarks | None,
        occlusion: ClipOcclusion | None = None,
    ) -> Generator[Frame, None, None]:
        """Do :meth:`edit`, and put the landmarks of every edited face into ``edited`` before its frame is yielded.

        Motion fades towards what ``occlusion`` says is in front of a face.
        """
        ...


class ReadFaces(Protocol):
    """Faces of a clip that an editor has read and can edit again and again without looking at the clip."""

    def edit(
        self,
        frames: Sequence[Frame],
        request: ExpressionRequest,
        *,
        drawn: Collection[int],
        edited: EditedLandmarks,
        occlusion: ClipOcclusion | None = None,
    ) -> list[Frame]:
        """Edit a few frames of the clip.

        Args:
            frames: Frames in order; of those that are not drawn, only number and time are read.
            request: The expression to give.
            drawn: Numbers of the frames whose pictures are wanted.
            edited: Takes the landmarks of the edited faces of all frames.
            occlusion: What is in front of the faces in the frames that are drawn; None if nobody looks.

        Returns:
            The frames; those that are drawn equal those of an edit of the whole clip.
        """
        ...


@runtime_checkable
class MomentEditor(LandmarkEditor, Protocol):
    """An editor that can edit any moment of a clip by itself, which makes live previews quick."""

    def read_faces(self, tracks: Sequence[FaceTrack], looks: Sequence[Sequence[Frame]]) -> ReadFaces:
        """Read faces.

        Args:
            tracks: The faces to edit, followed through the clip.
            looks: Groups of frames; the editor judges each face from the first group that shows it clearly. An edit
                looks at the first :data:`OPENING` frames of the clip, then at single frames until a face is seen.

        Returns:
            The faces.
        """
        ...


OPENING = 9  # frames at the start of a clip that editors may look at before they begin

editors: Registry[ExpressionEditor] = Registry("expression editor", package=__package__ or "thfem_core.expression")
editors.register("mesh", ".mesh")
editors.register("frames", ".frames")
editors.register("liveportrait", ".liveportrait")
editors.register("valence-arousal", ".valence_arousal")
editors.register("ned", ".ned")
editors.register("sserd", ".sserd")
