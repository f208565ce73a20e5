"""Drawing one person through one clip with EAMM."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from ...audio.mfcc import mfcc_at
from ...audio.speech import Speech
from ...face.crop import FaceCrop
from ...face.pose import HeadPose
from ...media.frame import Frame
from ...media.timing import frame_to_sample
from ...networks.threads import all_cpu_threads
from ...pose.mesh.encoder import MeshPoseEncoder
from ..face_crops import NO_SOURCE, OUTSIDE, FaceCrops, to_pictures, to_tensor
from ..head import AdjacentWindow, FaceClip, PatchOrReason
from .audio_features import POSE, WINDOW
from .emotion_displacement import displace
from .generator import SourceAppearance
from .keypoint_detectors import AffineKeypoints
from .networks import EammNetworks
from .one_euro import EMOTION, KEYPOINT, OneEuroConfig, OneEuroFilter

SIZE = 256
_LEAD, _HOP = 1920, 160  # samples: what is heard before a frame, step of the cepstra
_LONGEST = 32  # steps from the source on; training had 16
_GPU_FRAMES = 16  # drawn at once on a graphics card
_MOUTH = (slice(160, 220), slice(85, 185))  # rows and columns of the crop, hidden from the emotion network


def mfcc_windows(speech: Speech, frames: Sequence[int], frame_rate: Fraction) -> Tensor:
    """Compute what EAMM reads of the sound for each frame.

    Args:
        speech: The sound; outside it there is silence.
        frames: N frame numbers.
        frame_rate: Frames per second, any.

    Returns:
        float32 (N, 28, 12): cepstra of the 0.28 s from 0.12 s before each frame on, without the first coefficient.
    """
    firsts = np.array([frame_to_sample(frame, frame_rate, speech.sample_rate) - _LEAD for frame in frames])
    starts = firsts[:, None] + _HOP * np.arange(WINDOW[0])
    rows = mfcc_at(speech.samples, starts.ravel())[:, 1:]
    return torch.from_numpy(rows.reshape(len(frames), *WINDOW).astype(np.float32))


def pose_rows(pose: HeadPose, crops: Sequence[FaceCrop]) -> Tensor:
    """Describe head poses within crops.

    By our tracker's convention (:mod:`...face.pose`). The published pose files were made by another tracker and not
    normalised, so how far a head turns may come out different.

    Args:
        pose: Head poses of T frames, in the full frame.
        crops: The crops of these frames.

    Returns:
        float32 (T, 6): yaw, pitch, roll in degrees, scale in pixels per canonical unit, x, y in pixels of a crop of
        256 × 256.
    """
    angles = pose.angles()
    rows = np.zeros((len(crops), POSE), np.float32)
    for row, crop, angle, scale, place in zip(rows, crops, angles, pose.scale, pose.translation, strict=True):
        x, y = crop.to_crop(place[:2], SIZE)
        row[:] = (angle[0], angle[1], angle[2] - np.degrees(crop.rotation), scale * SIZE / crop.side, x, y)
    return torch.from_numpy(rows)


class _Smoother:
    """One-Euro filters for values and jacobians of a sequence of keypoints."""

    def __init__(self, config: OneEuroConfig) -> None:
        self._filters = [OneEuroFilter(config), OneEuroFilter(config)]

    def __call__(self, keypoints: AffineKeypoints) -> AffineKeypoints:
        """Filter the keypoints of the next frame."""
        return AffineKeypoints(
            *(
                torch.from_numpy(smooth(x.double().cpu().numpy())).to(x)
                for smooth, x in zip(self._filters, keypoints, strict=True)
            )
        )

    def copy(self) -> _Smoother:
        """Copy the state, to go on from it twice."""
        twin = copy(self)
        twin._filters = [copy(smooth) for smooth in self._filters]
        return twin


class EammSession:
    """One person through one clip (implements :class:`..head.FaceSession`).

    Each window runs the recurrent network anew, from its source on, as in training; filters run on from window to
    window.
    """

    lookahead = 0

    def __init__(self, networks: EammNetworks, clip: FaceClip, *, emotional: bool, dtype: torch.dtype) -> None:
        """Begin with one person.

        Args:
            networks: EAMM's networks, on the clip's device.
            clip: The person and the sound.
            emotional: Whether keypoints are displaced by the emotion that the edited frames show.
            dtype: Number format of the generator.
        """
        assert clip.speech is not None
        self._networks, self._clip, self._speech, self._dtype = networks, clip, clip.speech, dtype
        self._crops = FaceCrops(clip.track, frame_rate=clip.frame_rate)
        self._head = clip.poses or MeshPoseEncoder().encode(clip.track)
        self._emotion = networks.emotion if emotional else None
        self._smoothers: dict[int, tuple[_Smoother, _Smoother]] = {}
        self._mask = np.random.default_rng(0).integers(
            0, 256, (_MOUTH[0].stop - _MOUTH[0].start, _MOUTH[1].stop - _MOUTH[1].start, 3), np.uint8
        )

    def observe(self, frame: Frame) -> None:
        """Nothing is read here: head poses come from the track (see :meth:`..head.FaceSession.observe`)."""

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[PatchOrReason]]:
        """Draw windows (see :meth:`..head.FaceSession.predict`)."""
        with torch.inference_mode(), all_cpu_threads(self._clip.device):
            return [self._draw(window) for window in windows]

    def _draw(self, window: AdjacentWindow) -> list[PatchOrReason]:
        picture = self._crops.picture(window.source)
        frames = [target for target in window.targets if self._crops.at(target.index) is not None]
        if picture is None or not frames:
            return [NO_SOURCE if picture is None else OUTSIDE] * len(window.targets)
        networks = self._networks
        image = to_tensor([picture], self._clip.device)
        driving = self._driving(image, window.source.index, frames)
        source, appearance = networks.keypoints(image), networks.generator.encode(image.to(self._dtype))
        pictures = self._pictures(appearance, source, driving)
        drawn = {frame.index: self._crops.patch(frame, p) for frame, p in zip(frames, pictures, strict=True)}
        return [drawn.get(target.index, OUTSIDE) for target in window.targets]

    def _driving(self, image: Tensor, source: int, frames: Sequence[Frame]) -> AffineKeypoints:
        """Keypoints of ``frames``, drawn from ``image``."""
        targets = [frame.index for frame in frames]
        first = max(min(source, targets[0]), targets[-1] + 1 - _LONGEST)
        steps = [index for index in range(first, targets[-1] + 1) if self._crops.at(index) is not None]
        mfcc = mfcc_windows(self._speech, steps, self._clip.frame_rate).to(image.device)
        audio = self._networks.audio
        hidden, _ = audio.recur(audio.image_code(image), audio.step_codes(mfcc, self._poses(steps).to(image.device)))
        rows = [steps.index(index) for index in targets]
        keypoints = self._networks.audio_keypoints(audio.features(hidden[rows]))
        moves = None
        if self._emotion is not None:
            found = self._emotion(self._shown(frames), keypoints)
            moves = AffineKeypoints(found.value, found.jacobian)
        return self._smoothed(targets, keypoints, moves)

    def _smoothed(
        self, frames: Sequence[int], keypoints: AffineKeypoints, moves: AffineKeypoints | None
    ) -> AffineKeypoints:
        """Filter on from the frame before; frames that two windows draw are filtered twice, from the same state."""
        before = max((index for index in self._smoothers if index < frames[0]), default=None)
        pair = (_Smoother(KEYPOINT), _Smoother(EMOTION)) if before is None else self._smoothers[before]
        self._smoothers = {index: kept for index, kept in self._smoothers.items() if index == before}
        smoothed = []
        for row, index in enumerate(frames):
            pair = (pair[0].copy(), pair[1].copy())
            points = pair[0](keypoints.rows(slice(row, row + 1)))
            if moves is not None:
                points = displace(points, pair[1](moves.rows(slice(row, row + 1))))
            self._smoothers[index] = pair
            smoothed.append(points)
        return AffineKeypoints(*(torch.cat(parts) for parts in zip(*smoothed, strict=True)))

    def _poses(self, frames: Sequence[int]) -> Tensor:
        pose = self._head.read(frames[0], frames[-1] + 1).rows([index - frames[0] for index in frames])
        return pose_rows(pose, [crop for index in frames if (crop := self._crops.at(index)) is not None])

    def _shown(self, frames: Sequence[Frame]) -> Tensor:
        """Crops of edited frames with mouths hidden by noise: the emotion must not be read off the lips."""
        pictures = []
        for frame in frames:
            picture = self._crops.picture(frame)
            picture = np.zeros((SIZE, SIZE, 3), np.uint8) if picture is None else picture.copy()
            picture[_MOUTH] = self._mask
            pictures.append(picture)
        return to_tensor(pictures, self._clip.device)

    def _pictures(
        self, appearance: SourceAppearance, source: AffineKeypoints, driving: AffineKeypoints
    ) -> list[np.ndarray]:
        count, step = len(driving.value), 1 if self._clip.device.type == "cpu" else _GPU_FRAMES
        pictures: list[np.ndarray] = []
        for start in range(0, count, step):
            images = self._networks.generator(appearance, source, driving.rows(slice(start, start + step)))
            pictures += to_pictures(images)
        return pictures
