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
from ...expression.mesh.speech import aperture_keeper
from ...face.models import face_models
from ...face.weight import smoothstep
from ...media.frame import Frame
from ...metrics.points import LIPS
from ..head import AdjacentWindow, Drive, FaceClip, FacePatch
from .coefficients import MouthBasis, load_mouth_basis
from .config import MouthConfig
from .drawing import SourceFace, draw_patch
from .motion import MotionNet
from .networks import load_motion, load_renderer, on_device
from .observed import Mouth, ObservedMouths, read_manner
from .renderer import MouthRenderer

# Track weights between which the original's lips are trusted less than the sound.
_LOST, _SEEN = 0.15, 0.5
_MODEL_RATE = 25


class MouthTalkingHead:
    """Mesh warp and a small gated network, 1.6 M parameters, embedded. See ``mouth/__init__``."""

    drives: tuple[Drive, ...] = ("blend", "original", "audio")

    def __init__(
        self,
        config: MouthConfig | None = None,
        *,
        motion: MotionNet | None = None,
        renderer: MouthRenderer | None = None,
    ) -> None:
        self.config = config or MouthConfig()
        self.motion = motion or load_motion()
        self.renderer = (renderer or load_renderer()) if self.config.network else None

    def open_face(self, clip: FaceClip) -> MouthSession:
        """Raises InputError for drive "audio" without sound."""
        if clip.drive == "audio" and clip.speech is None:
            raise InputError("drive 'audio' needs a clip with sound; choose drive 'original', or give a sound file")
        return MouthSession(
            clip,
            self.config,
            motion=on_device(self.motion, clip.device),
            renderer=None if self.renderer is None else on_device(self.renderer, clip.device),
            basis=load_mouth_basis(),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """What is drawn in one frame: mesh (478, 3) face units, and how much of it shows."""

    shape: np.ndarray
    amount: float


class MouthSession:
    """One person through one clip (see :class:`..head.FaceSession`)."""

    def __init__(
        self,
        clip: FaceClip,
        config: MouthConfig,
        *,
        motion: MotionNet,
        renderer: MouthRenderer | None,
        basis: MouthBasis,
    ) -> None:
        self._clip, self._config, self._basis = clip, config, basis
        self._motion, self._renderer = motion, renderer
        self.lookahead = config.calm + 1
        models = face_models.load("mediapipe")(device=clip.device)
        self._mouths = ObservedMouths(clip.track, models, reach=config.calm)
        self._person = read_manner(clip.track, basis, clip.frame_rate)
        self._heard: dict[Fraction | None, torch.Tensor] = {}
        if clip.speech is None and clip.drive == "blend" and self._person.still:
            raise InputError("a still picture without sound has nothing to say; give it a sound file")

    def observe(self, frame: Frame) -> None:
        self._mouths.observe(frame)

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[FacePatch | None]]:
        answers = []
        for window in windows:
            self._listen([window.source, *window.targets])
            source = self._mouths.at(window.source.index)
            face = SourceFace(window.source, source) if source is not None else None
            row: list[FacePatch | None] = []
            for frame in window.targets:
                here = self._mouths.at(frame.index)
                if face is None or source is None or here is None:
                    row.append(None)
                    continue
                target = self._target(window.source, source, frame, here)
                row.append(
                    draw_patch(face, frame, here, target.shape, target.amount, self._renderer, self._clip.device)
                    if target.amount > 0
                    else None
                )
            answers.append(row)
            first = window.targets[0].index
            self._mouths.forget(min(window.source.index, first))
            self._heard = {time: row for time, row in self._heard.items() if time is None or time >= window.source.time}
        return answers

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
        drive = self._clip.drive
        trust = 1.0 if drive == "original" else 0.0
        if drive == "blend":
            trust = 1.0 if self._clip.speech is None else float(smoothstep(np.float64(here.weight), _LOST, _SEEN))
            trust = 0.0 if self._person.still else trust
        own = self._basis.read(here.edited)
        wanted = np.zeros_like(own)
        amount = 0.0
        if trust > 0:
            kept = self._original(frame.index, here)
            wanted += trust * kept
            amount += trust * self._needed(frame.index)
        if trust < 1:
            wanted += (1 - trust) * self._heard_mouth(source_frame, source, frame)
            amount += 1 - trust
        return _Target(shape=here.edited + self._basis.displacement(wanted - own), amount=amount)

    def _offset(self, index: int) -> np.ndarray:
        """(K,) what the edit adds to the mouth around a frame, less any opening or closing of the lips."""
        rows = self._mouths.around(index)
        added = self._basis.read(np.stack([row.edited for row in rows])) - self._basis.read(
            np.stack([row.original for row in rows])
        )
        field = self._basis.displacement(np.median(added, axis=0))
        kept = aperture_keeper() @ field
        return (kept.reshape(-1) @ self._basis.reader).astype(np.float32)

    def _original(self, index: int, here: Mouth) -> np.ndarray:
        """(K,) coefficients: the original's lips with the edit's lasting expression."""
        return self._basis.read(here.original) + self._offset(index)

    def _needed(self, index: int) -> float:
        """0..1: how far the edited lips stray from the original's speech around this frame."""
        offset = self._offset(index)
        lips = list(LIPS)
        modes = self._basis.modes[:, lips, :2]
        strays = []
        for row in self._mouths.around(index):
            apart = self._basis.read(row.original) + offset - self._basis.read(row.edited)
            strays.append(np.linalg.norm(np.tensordot(apart, modes, axes=1), axis=1).mean())
        return float(smoothstep(np.float64(np.mean(strays)), self._config.keep, self._config.redraw))

    def _heard_mouth(self, source_frame: Frame, source: Mouth, frame: Frame) -> np.ndarray:
        """(K,) coefficients: the source's mouth, moved as the sound says (Eq. 4)."""
        spread = self._basis.spread
        mouth = self._basis.read(source.edited)
        if self._person.still:
            before, pull, distance = self._heard[None], np.zeros_like(mouth), self._motion.config.distances
        else:
            before = self._heard[source_frame.time]
            pull = (self._person.mean - self._basis.read(source.original)) / spread
            distance = round(abs(float(frame.time - source_frame.time)) * _MODEL_RATE)
        change = self._motion.change(
            before, self._heard[frame.time], torch.tensor(distance), torch.from_numpy(pull.astype(np.float32))
        )
        return mouth + self._config.amount * change.numpy() * spread
