"""A talking head that draws no face: a square whose colour tells source and target, and what surrounds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from thfem_core.face.tracking.track import FaceSamples
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.frame import Box, Frame
from thfem_core.talking_head.head import AdjacentWindow, Drive, FaceClip, FacePatch, PatchOrReason

SIZE = 12  # of the frames
LEFT = "the painter had no paint"  # why a face stays as it is
RATE = Fraction(25)


class WeightTrack:
    """A :class:`FaceTrack` of which only the weights are known; frames outside have weight 0."""

    def __init__(self, weights: Sequence[float], first_frame: int = 0, track_id: int = 0) -> None:
        self.track_id = track_id
        self.first_frame, self.stop_frame = first_frame, first_frame + len(weights)
        self._weights = np.asarray(weights, np.float32)

    def samples(self, start: int, stop: int) -> FaceSamples:
        weight = np.zeros(stop - start, np.float32)
        low, high = max(start, self.first_frame), min(stop, self.stop_frame)
        if low < high:
            weight[low - start : high - start] = self._weights[low - self.first_frame : high - self.first_frame]
        mesh = np.where(weight[:, None, None] > 0, np.zeros((len(weight), 478, 3)), np.nan).astype(np.float32)
        return FaceSamples(first_frame=start, landmarks=mesh, weight=weight, yaw=np.zeros(len(weight), np.float32))


def colour(source: Frame, target: Frame) -> tuple[int, int, int]:
    """Number and brightness of the source, number of the target."""
    return source.index % 256, int(source.rgb()[0, 0, 0]), target.index % 256


class FakeSession:
    """Checks the scheduler's promises as it draws."""

    def __init__(
        self,
        track: WeightTrack,
        *,
        lookahead: int = 0,
        box: Box | None = None,
        alpha: float = 1.0,
        paint: Callable[[Frame, Frame], tuple[int, int, int] | None] = colour,
    ) -> None:
        self.track, self.lookahead, self.alpha, self.paint = track, lookahead, alpha, paint
        self.box = box or Box(2, 3, 8, 9)
        self.observed: list[int] = []
        self.windows: list[AdjacentWindow] = []
        self.calls: list[int] = []

    def observe(self, frame: Frame) -> None:
        expected = self.observed[-1] + 1 if self.observed else self.track.first_frame
        assert frame.index == expected
        self.observed.append(frame.index)

    def predict(self, windows: Sequence[AdjacentWindow]) -> list[list[PatchOrReason]]:
        self.calls.append(len(windows))
        self.windows += windows
        return [[self._draw(window.source, target) for target in window.targets] for window in windows]

    def _draw(self, source: Frame, target: Frame) -> PatchOrReason:
        assert self.observed[-1] >= min(target.index + self.lookahead, self.track.stop_frame - 1)
        rgb = self.paint(source, target)
        if rgb is None:
            return LEFT
        shape = self.box.height, self.box.width
        return FacePatch(
            box=self.box, rgb=np.full((*shape, 3), rgb, np.uint8), alpha=np.full(shape, self.alpha, np.float32)
        )


class FakeHead:
    """A :class:`TalkingHead` that remembers the faces it was asked for."""

    def __init__(self, drives: tuple[Drive, ...] = ("audio", "original", "blend"), **session: object) -> None:
        self.drives, self._session = drives, session
        self.clips: list[FaceClip] = []
        self.sessions: list[FakeSession] = []

    def open_face(self, clip: FaceClip) -> FakeSession:
        self.clips.append(clip)
        self.sessions.append(FakeSession(clip.track, **self._session))
        return self.sessions[-1]


def frames_of(count: int, *, first: int = 0) -> list[ArrayFrame]:
    """Frames that differ in brightness: 100 + number."""
    return [
        ArrayFrame(index=i, time=i / RATE, pixels=np.full((SIZE, SIZE, 3), (100 + i) % 256, np.uint8))
        for i in range(first, first + count)
    ]
