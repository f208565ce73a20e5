"""What EAT's and EAMM's sessions remember does not grow with the clip. Networks are stand-ins that compute nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from moving_face import RATE, SIDE, MovingTrack, clip
from torch import Tensor

from thfem_core.media.array_frame import ArrayFrame
from thfem_core.networks.appearance_volume import SourceAppearance
from thfem_core.talking_head.eamm import session as eamm_session
from thfem_core.talking_head.eamm.keypoint_detectors import AffineKeypoints
from thfem_core.talking_head.eat import session as eat_session
from thfem_core.talking_head.eat.audio_to_keypoints import COEFFICIENTS
from thfem_core.talking_head.eat.emotion_prompt import EmotionPrompts
from thfem_core.talking_head.eat.head_pose import HeadPoseEstimate
from thfem_core.talking_head.eat.keypoint_detector import CanonicalKeypoints
from thfem_core.talking_head.eat.timeline import Timeline
from thfem_core.talking_head.head import AdjacentWindow, FaceSession, PatchOrReason
from thfem_core.talking_head.scheduler import DrawnFace, draw_faces

FRAMES = 120


class StillTrack(MovingTrack):
    """The person stays; the clip may be long."""

    def samples(self, start: int, stop: int):
        samples = super().samples(start, stop)
        samples.landmarks[..., 0] -= 2 * np.arange(start, stop)[:, None]
        return samples


class Generator:
    def encode(self, images: Tensor, emotion: Tensor | None = None) -> SourceAppearance:
        return SourceAppearance(images, images[:, :, ::4, ::4])

    def __call__(self, appearance: SourceAppearance, source: Tensor, driving: Tensor | AffineKeypoints) -> Tensor:
        count = len(driving.value if isinstance(driving, AffineKeypoints) else driving)
        return 1 - appearance.volume.expand(count, -1, -1, -1)


def eat(opened) -> FaceSession:
    corners = torch.rand(1, 15, 3, generator=torch.Generator().manual_seed(0))
    networks = SimpleNamespace(
        silence=torch.zeros(16, 29),
        basis=torch.zeros(45, 45),
        mean=torch.zeros(45),
        generator=Generator(),
        keypoints=lambda image: CanonicalKeypoints(corners, torch.zeros(1)),
        head_pose=lambda images: HeadPoseEstimate(*(torch.zeros(len(images), size) for size in (66, 66, 66, 3, 45))),
        deformation=lambda face, prompts: torch.zeros(1, 45),
        audio=SimpleNamespace(
            face_map=lambda logits, emotion: torch.zeros(1),
            sound=lambda mel, emotion: mel,
            face_tokens=lambda sound, face: sound,
            frame_tokens=lambda pictures, speech: torch.zeros(len(pictures), 128),
            head_token=lambda poses: torch.zeros(len(poses.yaw), 128),
            coefficients=lambda tokens, faces, head, deep: torch.zeros(len(tokens), COEFFICIENTS),
        ),
    )
    return eat_session.EatSession(
        networks,
        opened,
        logits=np.zeros((2 * FRAMES, 29), np.float32),
        prompts=EmotionPrompts(torch.zeros(1, 128), torch.zeros(1, 6, 128)),
        timeline=Timeline(frame_rate=RATE),
        dtype=torch.float32,
    )


def eamm(opened) -> FaceSession:
    def keypoints(rows: Tensor) -> AffineKeypoints:
        return AffineKeypoints(torch.zeros(len(rows), 10, 2), torch.zeros(len(rows), 10, 2, 2))

    networks = SimpleNamespace(
        emotion=None,
        generator=Generator(),
        keypoints=keypoints,
        audio_keypoints=keypoints,
        audio=SimpleNamespace(
            image_code=lambda image: image,
            step_codes=lambda mfcc, poses: poses,
            recur=lambda code, steps: (steps, None),
            features=lambda hidden: hidden,
        ),
    )
    return eamm_session.EammSession(networks, opened, emotional=False, dtype=torch.float32)


def remembered(thing: Any, seen: set[int]) -> int:
    """Bytes of all tensors and arrays within reach, each storage once; 100 for every entry of a dictionary."""
    if isinstance(thing, Tensor):
        storage = thing.untyped_storage()
        address, size = storage.data_ptr(), storage.nbytes()
    else:
        address, size = id(thing), thing.nbytes if isinstance(thing, np.ndarray) else 0
    if address in seen:
        return 0
    seen.add(address)
    inner: Iterable[Any] = ()
    if isinstance(thing, dict):
        size, inner = 100 * len(thing), thing.values()
    elif isinstance(thing, list | tuple | set):
        inner = thing
    elif type(thing).__module__.startswith("thfem_core"):
        inner = [getattr(thing, name) for name in getattr(type(thing), "__slots__", ()) or vars(thing)]
    return size + sum(remembered(each, seen) for each in inner)


class Remembering:
    """Notes what a session holds after each window."""

    def __init__(self, session: FaceSession) -> None:
        self._session, self.lookahead = session, session.lookahead
        self.sizes: list[int] = []

    def observe(self, frame: ArrayFrame) -> None:
        self._session.observe(frame)

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[PatchOrReason]]:
        answers = self._session.predict(windows)
        self.sizes.append(remembered(self._session, set()))
        return answers


@pytest.mark.parametrize("opened", [eat, eamm])
def test_long_clips_are_not_remembered(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eat_session, "_KEPT", 20)
    track = StillTrack(FRAMES)
    session = Remembering(opened(clip(track)))
    picture = np.random.default_rng(5).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    frames = (ArrayFrame(index=i, time=i / RATE, pixels=picture) for i in range(FRAMES))
    changed = [(f.rgb() != picture).any() for f in draw_faces(frames, [DrawnFace(track=track, session=session)])]
    assert all(changed) and len(changed) == FRAMES
    sizes = session.sizes
    assert len(sizes) == 1 + (FRAMES - 1 + 4) // 5
    assert min(sizes) > 10_000
    third = len(sizes) // 3
    assert max(sizes[-third:]) <= 1.02 * max(sizes[third : 2 * third])
