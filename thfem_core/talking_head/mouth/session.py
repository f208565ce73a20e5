"""The embedded talking head at work: which mouth each frame shall show, and which picture it is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from ...face.mesh.lip_aperture import mouth_opening
from ...face.models import default_face_models
from ...face.smoothstep import smoothstep
from ...media.frame import Frame
from ..face_crops import NO_SOURCE, OUTSIDE
from ..head import AdjacentWindow, FaceClip, PatchOrReason
from .back_end import MouthOptions
from .coefficients import MouthBasis
from .drawing import SourceFace, draw_patch
from .lip_restoration import LipRestoration
from .motion import MotionNet
from .mouth_track import Mouth, MouthTrack
from .renderer import MouthRenderer
from .sound_drive import CLEARLY_SEEN, SoundDrive, past_frames
from .speaking_style import read_speaking_style
from .workers import WORKERS, side_by_side

# Why a face stays as the edit left it, for the user.
ALREADY_RIGHT = "the lips already move as in the original"
SIDE_VIEW = "the face is turned to the side"

_HIDDEN = 0.15  # track weight below which the sound alone moves the lips; from CLEARLY_SEEN on, the original does
# Face units by which a mouth must be opened further before its inside has to come from another frame.
_NEWLY_OPEN = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """The mouth that a frame shall show.

    shape: float (478, 3), face units.
    opacity: 0..1, how far it replaces the edited one.
    by_original: 0..1, how far the original's lips decided, against the sound.
    """

    shape: np.ndarray
    opacity: float
    by_original: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Drawing:
    """A frame to draw: from which picture, and to which mouth."""

    source: SourceFace
    frame: Frame
    mouth: Mouth
    target: _Target


class MouthSession:
    """One person through one clip (implements :class:`..head.FaceSession`).

    reads_landmarks: Of frames that are no source or target, only the landmarks are read where the editor knows them.
    """

    reads_landmarks = True

    def __init__(
        self,
        clip: FaceClip,
        options: MouthOptions,
        *,
        motion: MotionNet,
        renderer: MouthRenderer | None,
        basis: MouthBasis,
    ) -> None:
        """Begin with one person.

        Args:
            clip: The person and the sound.
            options: What the user chose.
            motion: From sound to mouth motion, on the clip's device.
            renderer: Paints the inside of the mouth, on the clip's device; None only warps the picture.
            basis: Modes of the mouth.

        Raises:
            InputError: The clip is a still picture and silent.
        """
        self._clip, self._basis, self._renderer = clip, basis, renderer
        self.lookahead = options.lip_smoothing + 1
        self._mouths = MouthTrack(
            clip.track,
            default_face_models(clip.device),
            edited=clip.edited,
            device=clip.device,
            reach=options.lip_smoothing,
            history=past_frames(motion, clip.frame_rate),
        )
        self._unobserved: list[Frame] = []  # frames that wait until every worker has one
        self._style = read_speaking_style(clip.track, basis, clip.frame_rate)
        if clip.speech is None and clip.drive == "blend" and self._style.is_still:
            raise InputError("a still picture without sound has nothing to say; give it a sound file")
        self._restoration = LipRestoration(self._mouths, options)
        self._sound = SoundDrive(
            clip, motion=motion, basis=basis, style=self._style, mouths=self._mouths, amount=options.amount
        )

    def observe(self, frame: Frame) -> None:
        """See an edited frame (see :meth:`..head.FaceSession.observe`)."""
        self._unobserved.append(frame)
        if len(self._unobserved) >= WORKERS:
            self._observe_waiting()

    def _observe_waiting(self) -> None:
        self._mouths.observe(self._unobserved)
        self._unobserved = []

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[PatchOrReason]]:
        """Draw windows (see :meth:`..head.FaceSession.predict`)."""
        self._observe_waiting()
        return [self._predict(window) for window in windows]

    def _predict(self, window: AdjacentWindow) -> list[PatchOrReason]:
        seen = [mouth for frame in window.targets if (mouth := self._mouths.fitted(frame.index)) is not None]
        if any(self._by_original(mouth) < 1 for mouth in seen):
            self._sound.encode([window.source, *window.targets])
        source = self._mouths.smoothed(window.source.index)
        plans: list[_Drawing | str] = [NO_SOURCE] * len(window.targets)
        if source is not None:
            picture = SourceFace(window.source, source)
            plans = [self._plan(window.source, source, picture, frame) for frame in window.targets]
            if any(isinstance(plan, _Drawing) and plan.source is picture for plan in plans):
                picture.prepare(self._clip.device, for_network=self._renderer is not None)
        drawings = [plan for plan in plans if isinstance(plan, _Drawing)]
        patches = iter(side_by_side(self._draw, drawings, self._clip.device))
        answers = [plan if isinstance(plan, str) else next(patches) for plan in plans]
        # No source or target of a later window lies before those of this one.
        self._mouths.forget(window.targets[0].index, keep=window.source.index)
        self._sound.forget(window)
        return answers

    def _plan(self, source_frame: Frame, source: Mouth, picture: SourceFace, frame: Frame) -> _Drawing | str:
        """Decide how a frame is drawn, or why it stays."""
        mouth = self._mouths.smoothed(frame.index)
        if mouth is None:
            return OUTSIDE
        target = self._target(source_frame, source, frame, mouth)
        if target.opacity <= 0:
            return SIDE_VIEW if self._restoration.visibility(frame.index) <= 0 else ALREADY_RIGHT
        if target.by_original > 0.5 and not _shows_more(source, mouth, target):
            picture = SourceFace(frame, mouth)
        return _Drawing(source=picture, frame=frame, mouth=mouth, target=target)

    def _draw(self, plan: _Drawing) -> PatchOrReason:
        target, device = plan.target, self._clip.device
        return draw_patch(plan.source, plan.frame, plan.mouth, target.shape, target.opacity, self._renderer, device)

    def _target(self, source_frame: Frame, source: Mouth, frame: Frame, mouth: Mouth) -> _Target:
        """Mix what the original's lips and the sound call for."""
        by_original = self._by_original(mouth)
        change = np.zeros_like(mouth.edited)
        opacity = 0.0
        if by_original > 0:
            opacity += by_original * (self._restoration.visibility(frame.index) * self._restoration.need(frame.index))
            if opacity > 0 or by_original < 1:
                change += by_original * (self._restoration.shape(mouth, frame.index) - mouth.edited)
        if by_original < 1:
            moved = self._sound.coefficients(source_frame, source, frame) - self._basis.read(mouth.edited)
            change += (1 - by_original) * self._basis.displacement(moved)
            opacity += 1 - by_original
        return _Target(shape=mouth.edited + change, opacity=opacity, by_original=by_original)

    def _by_original(self, mouth: Mouth) -> float:
        """0..1: how far the original's lips decide, against the sound."""
        if self._clip.drive == "original" or self._clip.speech is None:
            return 1.0
        if self._clip.drive == "audio" or self._style.is_still:
            return 0.0
        return float(smoothstep(np.asarray(mouth.weight), _HIDDEN, CLEARLY_SEEN))


def _shows_more(source: Mouth, mouth: Mouth, target: _Target) -> bool:
    """Whether the source frame shows the inside of the target's mouth clearly better than the edited frame itself.

    Where the original's lips decide, the frame itself has the right skin and light, and an open mouth can be shut; but
    a mouth that is shut cannot be opened without guessing what is behind the lips.
    """
    in_source, in_frame, in_target = mouth_opening(np.stack([source.edited, mouth.edited, target.shape]))
    opens_by = in_target - in_frame
    return bool(opens_by > _NEWLY_OPEN and abs(in_target - in_source) < 0.5 * opens_by)
