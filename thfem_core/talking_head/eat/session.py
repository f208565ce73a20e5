"""Drawing one person through one clip with EAT: what is computed per clip, per source picture and per drawn frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from scipy.spatial import ConvexHull, QhullError
from torch import Tensor

from ...media.frame import Frame
from ...networks.appearance_volume import SourceAppearance
from ...networks.threads import all_cpu_threads
from ..face_crops import NO_SOURCE, OUTSIDE, FaceCrops, to_pictures, to_tensor
from ..head import AdjacentWindow, FaceClip, PatchOrReason
from .audio_to_keypoints import expression_vector
from .emotion_prompt import EmotionPrompts
from .head_pose import HeadPoseEstimate, place_keypoints
from .networks import EatNetworks
from .pose_image import pose_images
from .timeline import Step, Timeline, speech_windows

_POSES_AT_ONCE = 8
_GPU_FRAMES = 8  # drawn at once on a graphics card: half a gigabyte each in float32
_KEPT = 256  # frames before the last drawn one whose poses are kept: no later window has a source before them


@dataclass(frozen=True, slots=True)
class _Source:
    """What is computed once for a source picture, and used by all frames drawn from it.

    canonical: (1, 15, 3), keypoints without pose and expression.
    placed: (1, 15, 3), keypoints of the picture.
    expression: (1, 45), keypoint offsets of the picture's expression.
    volume: (1,), of the convex hull of the canonical keypoints.
    face: (1, 32, 64, 64), map of the face for the audio network.
    deformation: (1, 45), keypoint offsets of the emotion.
    appearance: What the generator warps.
    """

    canonical: Tensor
    placed: Tensor
    expression: Tensor
    volume: Tensor
    face: Tensor
    deformation: Tensor
    appearance: SourceAppearance


def hull_volume(keypoints: Tensor) -> Tensor:
    """Volume of the convex hull of keypoints (1, K, 3), as (1,); 0 for points in one plane."""
    try:
        volume = ConvexHull(keypoints[0].cpu().double().numpy()).volume
    except QhullError:
        volume = 0.0
    return keypoints.new_tensor([volume])


def align_positions(driving: Tensor, reference: Tensor) -> Tensor:
    """Move the keypoints of one window, all alike, to where others are.

    Args:
        driving: (n, K, 3).
        reference: (n or 1, K, 3).

    Returns:
        (n, K, 3), with the mean of ``reference``.
    """
    return driving + (reference.mean(dim=(0, 1)) - driving.mean(dim=(0, 1)))


class EatSession:
    """One person through one clip (implements :class:`..head.FaceSession`)."""

    def __init__(
        self,
        networks: EatNetworks,
        clip: FaceClip,
        *,
        logits: np.ndarray,
        prompts: EmotionPrompts,
        timeline: Timeline,
        dtype: torch.dtype,
    ) -> None:
        """Begin with one person.

        Args:
            networks: EAT's networks, on the clip's device.
            clip: The person and the sound.
            logits: float32 (n, 29), DeepSpeech logits of the whole clip, 50 per second.
            prompts: Of the emotion that the face shows.
            timeline: Which sound and which head pose belong to a frame.
            dtype: Number format of the generator.
        """
        assert clip.speech is not None
        self._networks, self._clip, self._speech = networks, clip, clip.speech
        self._logits, self._timeline, self._dtype = logits, timeline, dtype
        self._silence = networks.silence.cpu().numpy()
        self._prompts = prompts
        self._crops = FaceCrops(clip.track, frame_rate=clip.frame_rate)
        self._unread: list[tuple[int, np.ndarray]] = []
        self._poses: dict[int, HeadPoseEstimate] = {}
        self._tokens: dict[Step, Tensor] = {}
        self._sources: dict[int, _Source] = {}
        self.lookahead = timeline.reach

    def observe(self, frame: Frame) -> None:
        """See an edited frame, whose head pose is read (see :meth:`..head.FaceSession.observe`)."""
        picture = self._crops.picture(frame)
        if picture is not None:
            self._unread.append((frame.index, picture))
            if len(self._unread) >= _POSES_AT_ONCE:
                self._read_poses()

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[PatchOrReason]]:
        """Draw windows (see :meth:`..head.FaceSession.predict`)."""
        with torch.inference_mode(), all_cpu_threads(self._clip.device):
            return self._predict(windows)

    def _predict(self, windows: Sequence[AdjacentWindow]) -> list[list[PatchOrReason]]:
        self._read_poses()
        answers: list[list[PatchOrReason]] = [[NO_SOURCE] * len(window.targets) for window in windows]
        drawable: list[tuple[int, int]] = []  # window, target
        sources: dict[int, _Source] = {}
        for number, window in enumerate(windows):
            source = self._source(window.source)
            if source is None:
                continue
            sources[number] = source
            for n, target in enumerate(window.targets):
                answers[number][n] = OUTSIDE
                if self._crops.at(target.index) is not None:
                    drawable.append((number, n))
        if drawable:
            frames = [windows[number].targets[n] for number, n in drawable]
            images = self._draw(frames, [sources[number] for number, _ in drawable], [number for number, _ in drawable])
            for (number, n), frame, picture in zip(drawable, frames, images, strict=True):
                answers[number][n] = self._crops.patch(frame, picture)
        self._forget(windows[-1].targets[-1].index)
        return answers

    def _read_poses(self) -> None:
        if self._unread:
            indices, pictures = zip(*self._unread, strict=True)
            self._unread = []
            with torch.inference_mode(), all_cpu_threads(self._clip.device):
                estimate = self._networks.head_pose(to_tensor(list(pictures), self._clip.device))
            self._poses |= {index: estimate.rows(slice(n, n + 1)) for n, index in enumerate(indices)}

    def _pose(self, index: int) -> HeadPoseEstimate:
        """The head pose of a frame, or of the nearest one in which the person was seen."""
        if index not in self._poses:
            index = min(self._poses, key=lambda known: (abs(known - index), known))
        return self._poses[index]

    def _source(self, frame: Frame) -> _Source | None:
        if frame.index not in self._sources:
            picture = self._crops.picture(frame)
            if picture is None or not self._poses:
                return None
            self._sources = {max(self._sources): self._sources[max(self._sources)]} if self._sources else {}
            image, networks = to_tensor([picture], self._clip.device), self._networks
            keypoints, pose = networks.keypoints(image), self._pose(frame.index)
            face = networks.audio.face_map(keypoints.logits, self._prompts.emotion)
            appearance = networks.generator.encode(image.to(self._dtype), self._prompts.emotion.to(self._dtype))
            self._sources[frame.index] = _Source(
                canonical=keypoints.value,
                placed=place_keypoints(keypoints.value, pose, pose.expression),
                expression=pose.expression,
                volume=hull_volume(keypoints.value),
                face=face,
                deformation=networks.deformation(face, self._prompts),
                appearance=appearance,
            )
        return self._sources[frame.index]

    def _frame_tokens(self, steps: list[list[Step]]) -> Tensor:
        """Tokens of the steps of N frames, (N, 11, 128); a step that windows share is computed once."""
        new = list(dict.fromkeys(step for row in steps for step in row if step not in self._tokens))
        if new:
            device = self._clip.device
            drawn: dict[int, Tensor] = {}
            for step in new:
                if step.pose not in drawn:
                    drawn[step.pose] = pose_images(self._pose(step.pose))
            pictures = torch.cat([drawn[step.pose] for step in new]).to(device)
            speech = speech_windows(self._logits, [step.row for step in new], self._silence).to(device)
            tokens = self._networks.audio.frame_tokens(pictures, speech)
            self._tokens |= dict(zip(new, tokens, strict=True))
        return torch.stack([torch.stack([self._tokens[step] for step in row]) for row in steps])

    def _driving(self, frames: Sequence[Frame], sources: Sequence[_Source], numbers: Sequence[int]) -> Tensor:
        """Keypoints of N frames to draw, (N, 15, 3); frames of equal number are one window."""
        audio, prompts = self._networks.audio, self._prompts
        indices = [frame.index for frame in frames]
        tokens = self._frame_tokens([self._timeline.steps(index) for index in indices])
        poses = HeadPoseEstimate(
            *(torch.cat(fields) for fields in zip(*(self._pose(index) for index in indices), strict=True))
        )
        sound = audio.sound(self._timeline.mel(self._speech, indices).to(self._clip.device), prompts.emotion)
        faces = audio.face_tokens(sound, torch.cat([source.face for source in sources]))
        coefficients = audio.coefficients(tokens, faces, audio.head_token(poses), prompts.deep)

        def joined(name: str) -> Tensor:
            return torch.cat([getattr(source, name) for source in sources])

        expression = expression_vector(
            coefficients, joined("deformation"), self._networks.basis, self._networks.mean, joined("volume")
        )
        canonical = joined("canonical")
        driving = place_keypoints(canonical, poses, expression)
        # The published code moves each window to where the source is. Here the poses are the person's own, so windows
        # move to where the head is: the same for a still head, and no jump between windows for a moving one.
        reference = place_keypoints(canonical, poses, joined("expression"))
        parts = []
        for _, rows in groupby(range(len(numbers)), key=lambda row: numbers[row]):
            kept = list(rows)
            parts.append(align_positions(driving[kept], reference[kept]))
        return torch.cat(parts)

    def _draw(self, frames: list[Frame], sources: list[_Source], numbers: list[int]) -> list[np.ndarray]:
        driving, generator = self._driving(frames, sources, numbers), self._networks.generator
        step = 1 if self._clip.device.type == "cpu" else _GPU_FRAMES
        pictures: list[np.ndarray] = []
        for start in range(0, len(frames), step):
            chosen = sources[start : start + step]
            same = all(source is chosen[0] for source in chosen)
            unique = chosen[:1] if same else chosen
            appearance = SourceAppearance(
                *(torch.cat(parts) for parts in zip(*(source.appearance for source in unique), strict=True))
            )
            placed = torch.cat([source.placed for source in unique])
            pictures += to_pictures(generator(appearance, placed, driving[start : start + step]))
        return pictures

    def _forget(self, drawn: int) -> None:
        """Drop what no window after that of frame ``drawn`` needs."""
        oldest = drawn - self._timeline.reach - _KEPT
        recent = {index: pose for index, pose in self._poses.items() if index >= oldest}
        self._poses = recent or self._poses
        self._tokens = {step: token for step, token in self._tokens.items() if step.pose >= oldest}
