"""One person under the edit: from what the networks read of each frame to the keypoints that are drawn."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from ...face.tracking.track import FaceTrack
from ...media.frame import Frame
from ...networks.liveportrait.corrections import Corrections, Openings
from ...networks.liveportrait.crop import CropPath, crop_picture
from ...networks.liveportrait.keypoints import FaceMotion, rotation_matrices
from ...networks.liveportrait.regions import FACE, LIP_ROWS, mask
from ...networks.liveportrait.smoothing import KalmanSmoother
from ...networks.pctalk.application import expression_offset
from ...networks.pctalk.spoken_lips import SpokenLips
from ..request import ExpressionRequest
from .back_end import LivePortraitOptions
from .driving import (
    Driving,
    driven,
    eye_openings,
    lip_openings,
    neutral_lips,
    target_expression,
    target_rotation,
)
from .expressions import Driver, requested_sliders
from .face_edit import FaceEdit
from .regions import region_gains
from .sliders import SAMPLE_PARTS, SliderOffset, node_keypoints, sample_offset
from .sound_emotion import SpokenEmotion

_OBSERVATION = 3e-7  # variance that LivePortrait smooths with
_LIP_FRAMES = 12  # first frames of an appearance whose mean lips stand for the person's
_LIPS_SET_IN = 0.25  # strength from which on lips from sound are wholly those: a curve that starts at 0 makes no jump
_CALMED = FACE & ~mask((11, 15))  # lids and gaze go on as they are, so that blinks stay
_PARTS = {"expression": "OnlyExpression", "all": "All", "pose": "OnlyRotation", "eyes": "OnlyEyes", "lips": "OnlyMouth"}
assert set(_PARTS.values()) == set(SAMPLE_PARTS)


class EditedFace:
    """Follows one track through the clip; smooths what changes over time with a few frames of look-ahead."""

    def __init__(
        self,
        track: FaceTrack,
        request: ExpressionRequest,
        options: LivePortraitOptions,
        *,
        driver: Driver | None,
        spoken: SpokenEmotion | None = None,
        lips: SpokenLips | None = None,
        frame_rate: Fraction,
        side: int,
    ) -> None:
        self._track, self._options, self._driver, self._side = track, options, driver, side
        self._crops = CropPath(track, frame_rate=frame_rate)
        self._offset, self._spoken = requested_sliders(request, emotion=spoken is None), spoken
        self._lips = lips
        self._first_scale: Tensor | None = None
        self._neutralise = 1.0 if request.emotion == "neutral" else options.neutralise
        self._gains = region_gains(request.regions)
        self._driving = Driving(
            relative=options.motion == "relative",
            copied=options.copied,
            single=driver is not None and driver.single,
        )
        self._waiting: deque[FaceEdit] = deque()
        self._mean_lips: Tensor | None = None
        self._usual_eyes: float | None = None
        self._restart()

    def _restart(self) -> None:
        observation = _OBSERVATION * self._options.smoothing if self._driver and self._driving.smoothed else 0.0
        self._smoother = KalmanSmoother(observation)
        self._smoothed: deque[np.ndarray] = deque()

    def see(self, frame: Frame, strength: float) -> FaceEdit | None:
        """This person in ``frame``; None where nothing is to be done."""
        if strength <= 0 or not self._track.first_frame <= frame.index < self._track.stop_frame:
            return None
        samples = self._track.samples(frame.index, frame.index + 1)
        crop = self._crops.at(frame.index)
        picture = crop_picture(frame, self._crops, self._side) if samples.weight[0] > 0 else None
        if crop is None or picture is None:
            return None
        return FaceEdit(
            frame=frame,
            crop=crop,
            picture=picture,
            landmarks=torch.from_numpy(samples.landmarks),
            amount=strength,
            weight=float(samples.weight[0]),
        )

    def push(self, edit: FaceEdit) -> None:
        """Take the next frame of this person, read."""
        assert edit.motion is not None
        if self._waiting and edit.frame.index != self._waiting[-1].frame.index + 1:
            self.finish()
        if self._usual_eyes is None:
            self._usual_eyes = float(eye_openings(edit.landmarks).mean())
        self._waiting.append(edit)
        if self._lips is not None:
            self._lips.see(float(edit.frame.time), edit.motion)
        if self._driver is not None:
            smoothed = self._smoother.push(self._goal(edit))
            if smoothed is not None:
                self._smoothed.append(smoothed)
        self._settle(complete=False)

    def finish(self) -> None:
        """No frame follows without a gap: settle those that wait."""
        self._smoothed.extend(self._smoother.finish())
        self._settle(complete=True)
        self._restart()

    def _settle(self, *, complete: bool) -> None:
        if self._mean_lips is None and self._needs_mean_lips:
            if not complete and len(self._waiting) < _LIP_FRAMES:
                return
            lips = [edit.motion.expression[:, LIP_ROWS] for edit in self._waiting if edit.motion is not None]
            self._mean_lips = torch.cat(lips).mean(dim=0) if lips else None
        while self._waiting and (self._driver is None or self._smoothed) and (complete or self._lips_are_known):
            edit = self._waiting.popleft()
            edit.points = self._points(edit, self._smoothed.popleft() if self._driver is not None else None)

    @property
    def _lips_are_known(self) -> bool:
        """Whether as much was seen after the first waiting frame as its lips need."""
        return self._lips is None or len(self._waiting) > self._lips.lookahead

    @property
    def _needs_mean_lips(self) -> bool:
        return self._options.lips == "shifted" and (self._driver is not None or self._neutralise > 0)

    def _goal(self, edit: FaceEdit) -> np.ndarray:
        """(30, 3) float64: the driver's expression and rotation for this frame, before smoothing. Relative ones are
        given as changes where the native pixels are changed: noise of the reading then cancels."""
        driver, source = self._driver, edit.motion
        assert driver is not None and source is not None
        frame = driver.motion.rows([driver.at(float(edit.frame.time))])
        expression = target_expression(source, frame, driver.first, self._driving)
        rotation = target_rotation(source, frame, driver.first, self._driving)
        if self._as_change:
            expression, rotation = expression - source.expression, rotation - source.rotation
        return torch.cat([expression[0], rotation[0]]).double().numpy()

    @property
    def _as_change(self) -> bool:
        return self._driving.relative and self._options.pasting == "difference"

    def _points(self, edit: FaceEdit, goal: np.ndarray | None) -> FaceMotion | Tensor:
        """The face as it is to be drawn, before stitching."""
        source, options, amount = edit.motion, self._options, edit.amount
        assert source is not None
        if options.composition == "advancedliveportrait":
            return self._node_points(edit)
        moved, turn = source, amount * self._offset.turn
        if goal is not None:
            assert self._driver is not None
            target = torch.from_numpy(goal).float()[None]
            expression, rotation = target[:, :-3], target[:, -3:]
            if self._as_change:
                expression, rotation = source.expression + expression, source.rotation + rotation
            frame = self._driver.motion.rows([self._driver.at(float(edit.frame.time))])
            goal_face = driven(
                source, frame, self._driver.first, self._driving, expression=expression, rotation=rotation
            )
            moved = FaceMotion(*(a + amount * (b - a) for a, b in zip(source, goal_face, strict=True)))
        change = moved.expression - source.expression + amount * self._offset.expression
        change = change - amount * self._neutralise * torch.where(_CALMED, source.expression, torch.zeros(()))
        if self._spoken is not None:
            change = change + amount * expression_offset(self._spoken.at(float(edit.frame.time)), source.scale)
        change = self._gains * change
        if options.lips in ("kept", "shifted"):
            change[:, LIP_ROWS] = amount * self._lip_shift(source.scale)
        if turn.any():
            about = rotation_matrices(source.angles).mT @ rotation_matrices(source.angles + turn)
            moved = moved._replace(rotation=moved.rotation @ about)
        expression = source.expression + change
        if self._lips is not None:
            expression[:, LIP_ROWS] = self._spoken_lips(edit, self._lips)
        return moved._replace(expression=expression)

    @staticmethod
    def _spoken_lips(edit: FaceEdit, lips: SpokenLips, rotation: Tensor | None = None) -> Tensor:
        """(1, 6, 3): expression of the lips that say what is heard. rotation: (1, 3, 3) if it turns with the head."""
        source, seconds = edit.motion, float(edit.frame.time)
        assert source is not None
        spoken = expression_offset(lips.at(seconds)[None], source.scale)
        lips.forget(seconds)
        if rotation is not None:
            spoken = spoken @ rotation.mT
        return torch.lerp(source.expression[:, LIP_ROWS], spoken, min(1.0, edit.amount / _LIPS_SET_IN))

    def _lip_shift(self, scale: Tensor) -> Tensor:
        """(6, 3): what is added to the lips in every frame alike. scale: (1, 1) of this frame's face."""
        self._first_scale = scale if self._first_scale is None else self._first_scale
        if self._options.lips == "kept":
            return torch.zeros(len(LIP_ROWS), 3)
        shift = self._offset.expression[list(LIP_ROWS)]
        if self._spoken is not None:
            shift = shift + self._spoken.mean_lips / self._first_scale
        if self._mean_lips is not None:
            goal = neutral_lips()[0, LIP_ROWS] if self._driver is None else self._driver.mean_lips
            share = self._neutralise if self._driver is None else 1.0
            shift = shift + share * (goal - self._mean_lips)
        return self._options.lip_share * self._gains[list(LIP_ROWS)] * shift

    def _node_points(self, edit: FaceEdit) -> Tensor:
        """Keypoints as the node AdvancedLivePortrait places them."""
        source, amount = edit.motion, edit.amount
        assert source is not None
        expression, turn = self._offset
        if self._driver is not None:
            sample = self._driver.motion.rows([self._driver.at(float(edit.frame.time))])
            copied = sample_offset(sample, _PARTS[self._options.copied], 1.0)
            expression, turn = expression + copied.expression, turn + copied.turn
        added, turn = amount * self._gains * expression, amount * turn
        kept = 1.0 - amount * self._neutralise
        if self._options.lips in ("kept", "shifted"):
            added[list(LIP_ROWS)] = amount * self._lip_shift(source.scale)
        if self._lips is not None:
            spoken = self._spoken_lips(edit, self._lips, rotation_matrices(source.angles + turn))
            added[list(LIP_ROWS)] = (spoken - kept * source.expression[:, LIP_ROWS])[0]
        return node_keypoints(source, SliderOffset(added, turn), kept=kept)

    def openings(self, edits: Sequence[FaceEdit]) -> Openings:
        """How far eyes and lips are open in these frames."""
        landmarks = torch.cat([edit.landmarks for edit in edits])
        usual = self._usual_eyes if self._usual_eyes is not None else 0.0
        return Openings(eyes=eye_openings(landmarks), lips=lip_openings(landmarks), usual_eyes=usual)


def corrections_of(options: LivePortraitOptions) -> Corrections:
    """The corrections that options ask for."""
    return Corrections(
        stitching=options.stitching,
        close_lips=options.close_lips and options.lips == "free",
        steady_eyes=options.steady_eyes,
        keep_lips=options.lips in ("kept", "shifted"),
    )
