"""The embedded back end at work: target mouths from the original and the sound, drawn from the window's source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from ...audio.profile import COMPACT
from ...audio.window import audio_windows
from ...errors import InputError
from ...face.mesh.lip_aperture import mouth_opening
from ...face.models import default_face_models
from ...face.smoothstep import smoothstep
from ...media.frame import Frame
from ..head import AdjacentWindow, FaceClip, FacePatch
from .back_end import MouthOptions
from .coefficients import MouthBasis
from .drawing import SourceFace, draw_patch
from .kept_speech import KeptSpeech
from .motion import FRAME_RATE, MotionNet
from .observed import Mouth, ObservedMouths, read_manner
from .renderer import MouthRenderer
from .workers import WORKERS, side_by_side

# Track weights between which the original's lips are trusted less than the sound.
_LOST, _SEEN = 0.15, 0.5
# Face units by which a mouth must be opened further before its inside has to come from elsewhere.
_UNSEEN = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """What is drawn in one frame. shape: mesh (478, 3), face units. amount: 0..1, how much of it shows. trust: 0..1,
    how far the original's lips decided, against the sound."""

    shape: np.ndarray
    amount: float
    trust: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Drawing:
    """A frame to draw: from what, and to what."""

    source: SourceFace
    frame: Frame
    here: Mouth
    target: _Target


def _shows_more(source: Mouth, here: Mouth, target: _Target) -> bool:
    """Whether the window's source shows the inside of the wanted mouth clearly better than the edited frame itself.

    Where the original's lips decide, the frame itself has the right skin and light, and an open mouth can be shut; but
    a mouth that is shut cannot be opened without guessing what is behind the lips.
    """
    shown, own, wanted = mouth_opening(np.stack([source.edited, here.edited, target.shape]))
    return bool(wanted - own > _UNSEEN and abs(wanted - shown) < 0.5 * (wanted - own))


class MouthSession:
    """One person through one clip (see :class:`..head.FaceSession`)."""

    def __init__(
        self,
        clip: FaceClip,
        config: MouthOptions,
        *,
        motion: MotionNet,
        renderer: MouthRenderer | None,
        basis: MouthBasis,
    ) -> None:
        self._clip, self._config, self._basis = clip, config, basis
        self._motion, self._renderer = motion, renderer
        self.lookahead = config.smoothing + 1
        models = default_face_models(clip.device)
        self._mouths = ObservedMouths(
            clip.track, models, device=clip.device, reach=config.smoothing, history=self._before(motion.config.past)
        )
        self._unseen: list[Frame] = []
        self._person = read_manner(clip.track, basis, clip.frame_rate)
        self._kept = KeptSpeech(self._mouths, config)
        self._heard: dict[Fraction | None, torch.Tensor] = {}
        if clip.speech is None and clip.drive == "blend" and self._person.still:
            raise InputError("a still picture without sound has nothing to say; give it a sound file")

    def observe(self, frame: Frame) -> None:
        self._unseen.append(frame)
        if len(self._unseen) >= WORKERS:
            self._look()

    def _look(self) -> None:
        self._mouths.observe(self._unseen)
        self._unseen = []

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[FacePatch | None]]:
        self._look()
        answers = []
        for window in windows:
            self._listen([window.source, *window.targets])
            source = self._mouths.at(window.source.index)
            shown = SourceFace(window.source, source) if source is not None else None
            drawings = [self._drawing(window.source, source, shown, frame) for frame in window.targets]
            if shown is not None and any(drawing is not None and drawing.source is shown for drawing in drawings):
                shown.prepare(self._clip.device, pictured=self._renderer is not None)
            answers.append(side_by_side(self._draw, drawings, self._clip.device))
            self._forget(window)
        return answers

    def _drawing(
        self, source_frame: Frame, source: Mouth | None, shown: SourceFace | None, frame: Frame
    ) -> _Drawing | None:
        """How a frame is drawn; None where it stays."""
        here = self._mouths.at(frame.index)
        if source is None or shown is None or here is None:
            return None
        target = self._target(source_frame, source, frame, here)
        if target.amount <= 0:
            return None
        own = target.trust > 0.5 and not _shows_more(source, here, target)
        return _Drawing(source=SourceFace(frame, here) if own else shown, frame=frame, here=here, target=target)

    def _draw(self, drawing: _Drawing | None) -> FacePatch | None:
        if drawing is None:
            return None
        target = drawing.target
        return draw_patch(
            drawing.source,
            drawing.frame,
            drawing.here,
            target.shape,
            target.amount,
            self._renderer,
            self._clip.device,
        )

    def _forget(self, window: AdjacentWindow) -> None:
        """Drop what later windows, whose sources and targets do not lie before this one's, cannot ask for."""
        self._mouths.forget(window.targets[0].index, keep=window.source.index)
        kept = {None, window.source.time}
        since = window.targets[0].time
        self._heard = {time: row for time, row in self._heard.items() if time in kept or time >= since}

    def _listen(self, frames: Sequence[Frame]) -> None:
        """What the motion network hears at each frame's moment, remembered."""
        speech = self._clip.speech
        if speech is None or self._clip.drive == "original":
            return
        times = [frame.time for frame in frames if frame.time not in self._heard]
        if not times:
            return
        steps = self._motion.config.steps
        columns = audio_windows(speech, times, profile=COMPACT, steps=steps, normalise=True)
        manner = torch.from_numpy(self._person.manner)[None]
        if None not in self._heard:  # silence: what a still picture says
            columns = torch.cat([columns, torch.full_like(columns[:1], COMPACT.silence)])
        with torch.no_grad():
            device = self._clip.device
            heard = self._motion.listen(columns.to(device), manner.expand(len(columns), -1).to(device))[:, 0].cpu()
        self._heard |= dict(zip(times, heard, strict=False))
        if None not in self._heard:
            self._heard[None] = heard[-1]

    def _target(self, source_frame: Frame, source: Mouth, frame: Frame, here: Mouth) -> _Target:
        trust = self._trust(here)
        change = np.zeros_like(here.edited)
        amount = 0.0
        if trust > 0:
            change += trust * (self._kept.wanted(here, frame.index) - here.edited)
            amount += trust * self._kept.needed(frame.index)
        if trust < 1:
            heard = self._heard_mouth(source_frame, source, frame) - self._basis.read(here.edited)
            change += (1 - trust) * self._basis.displacement(heard)
            amount += 1 - trust
        return _Target(shape=here.edited + change, amount=amount, trust=trust)

    def _trust(self, here: Mouth) -> float:
        """0..1: how far the original's lips decide, against the sound."""
        if self._clip.drive == "audio" or self._person.still:
            return 0.0
        if self._clip.drive == "original" or self._clip.speech is None:
            return 1.0
        return float(smoothstep(np.float64(here.weight), _LOST, _SEEN))

    def _heard_mouth(self, source_frame: Frame, source: Mouth, frame: Frame) -> np.ndarray:
        """(K,) coefficients: the source's mouth, moved as the sound says (Eq. 4)."""
        spread = self._basis.spread
        mouth = self._basis.read(source.edited)
        if self._person.still:
            before, pull, distance = self._heard[None], np.zeros_like(mouth), self._motion.config.distances
            past = None
        else:
            before = self._heard[source_frame.time]
            pull = (self._person.mean - self._basis.read(source.original)) / spread
            distance = round((frame.time - source_frame.time) * FRAME_RATE)
            past = self._past(source_frame.index)
        pull = torch.from_numpy(pull.astype(np.float32))
        change = self._motion.change(before, self._heard[frame.time], torch.tensor(distance), pull, past)
        return mouth + self._config.amount * change.numpy() * spread

    def _before(self, steps: int) -> int:
        """How many frames of the clip lie in so many frames of the motion network."""
        return round(steps * self._clip.frame_rate / FRAME_RATE)

    def _past(self, index: int) -> torch.Tensor:
        """(past, K): how the edited mouth moved up to a source frame; 0 from where it is not seen well."""
        count = self._motion.config.past
        mouths: list[np.ndarray] = []
        for steps in range(count + 1):
            mouth = self._mouths.as_fitted(index - self._before(steps))
            if mouth is None or mouth.weight < _SEEN:
                break
            mouths.append(self._basis.read(mouth.edited) / self._basis.spread)
        past = np.zeros((count, self._basis.size), np.float32)
        if len(mouths) > 1:
            past[: len(mouths) - 1] = -np.diff(np.stack(mouths), axis=0)
        return torch.from_numpy(past)
