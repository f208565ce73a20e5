"""A face that moves through a picture of noise, with its track and its voice."""

from __future__ import annotations

import functools
import operator
from fractions import Fraction

import numpy as np
import torch

from thfem_core.audio.speech import Speech
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.tracking.track import FaceSamples
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.talking_head.head import AdjacentWindow, FaceClip, FacePatch, FaceSession, PatchOrReason
from thfem_core.talking_head.windows import WindowConfig, plan_windows

RATE = Fraction(25)
SIDE = 160


class MovingTrack:
    """One person, two pixels further right in every frame; away in frames ``absent``."""

    def __init__(self, count: int, absent: frozenset[int] = frozenset()) -> None:
        self.track_id, self.first_frame, self.stop_frame, self.absent = 0, 0, count, absent

    def samples(self, start: int, stop: int) -> FaceSamples:
        there = np.array([0 <= i < self.stop_frame and i not in self.absent for i in range(start, stop)])
        place = np.array([[70.0 + 2 * i, 75.0, 0.0] for i in range(start, stop)])
        landmarks = (0.42 * canonical_mesh() + place[:, None]).astype(np.float32)
        landmarks[~there] = np.nan
        return FaceSamples(
            first_frame=start,
            landmarks=landmarks,
            weight=there.astype(np.float32),
            yaw=np.zeros(len(there), np.float32),
        )


def frames(count: int) -> list[ArrayFrame]:
    random = np.random.default_rng(5)
    return [
        ArrayFrame(index=i, time=i / RATE, pixels=random.integers(0, 256, (SIDE, SIDE, 3), np.uint8))
        for i in range(count)
    ]


def clip(track: MovingTrack, *, speech: bool = True) -> FaceClip:
    samples = 0.1 * np.random.default_rng(2).standard_normal(16000).astype(np.float32)
    voice = Speech(samples, 0.1) if speech else None
    return FaceClip(track=track, speech=voice, frame_rate=RATE, device=torch.device("cpu"), drive="audio")


def predicted(session: FaceSession, track: MovingTrack, size: int, batch: int) -> list[list[PatchOrReason]]:
    """All windows of ``size`` frames, as many per call as ``batch``; frames are observed as late as promised."""
    pictures = frames(track.stop_frame)
    drawable = [i for i in range(track.stop_frame) if i not in track.absent]
    windows = [
        AdjacentWindow(source=pictures[plan.source], targets=tuple(pictures[i] for i in plan.targets))
        for plan in plan_windows(drawable, WindowConfig(size=size))
    ]
    seen, answers = 0, []
    for start in range(0, len(windows), batch):
        chosen = windows[start : start + batch]
        needed = min(chosen[-1].targets[-1].index + session.lookahead + 1, track.stop_frame)
        for picture in pictures[seen:needed]:
            session.observe(picture)
        seen = max(seen, needed)
        answers += session.predict(chosen)
    return answers


def assert_same_patches(ours: list[list[PatchOrReason]], theirs: list[list[PatchOrReason]]) -> None:
    """Equal boxes, and colours within one level of 255.

    Two computations of one network never have to agree to the last bit: kernels choose the order of their sums by batch
    size, memory alignment and processor. Errors of 1e-6 to 1e-5 move a value over the border between two levels now and
    then, never over two; a fault (a wrong frame, weight or window) is off by many.
    """
    for a, b in zip(
        functools.reduce(operator.iadd, ours, []), functools.reduce(operator.iadd, theirs, []), strict=True
    ):
        assert isinstance(a, FacePatch) or a == b
        if isinstance(a, FacePatch):
            assert isinstance(b, FacePatch)
            assert a.box == b.box
            assert np.abs(a.rgb.astype(int) - b.rgb).max() <= 1
            np.testing.assert_array_equal(a.alpha, b.alpha)
