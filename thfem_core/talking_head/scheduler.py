"""Driving talking heads through a stream of edited frames, window by window."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import takewhile

from ..face.tracking.track import FaceTrack
from ..media.frame import Frame
from .blending import blend_patches, paste_patch
from .head import AdjacentWindow, FacePatch, FaceSession
from .windows import PlannedWindow, WindowConfig, plan_windows

_BLOCK = 64  # frames of a track read at once


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnFace:
    """A person and the talking head that draws them."""

    track: FaceTrack
    session: FaceSession


@dataclass(kw_only=True, slots=True)
class DrawTally:
    """frames: how many frames had at least one face drawn so far."""

    frames: int = 0


def draw_faces(
    frames: Generator[Frame, None, None],
    faces: Sequence[DrawnFace],
    *,
    window: WindowConfig | None = None,
    batch: int = 1,
    tally: DrawTally | None = None,
) -> Generator[Frame, None, None]:
    """Yield the frames in order, every face drawn again in the windows of :func:`.windows.plan_windows`.

    frames: edited frames with consecutive numbers. Sources are these frames, never drawn ones. A face is drawn where
    its track's weight is above 0, by as much; frames without any face come out as they are. Faces are pasted in the
    order given. batch: windows per call of a session (the result is the same for any). Holds the frames of about
    ``batch`` windows and the sessions' lookahead. Closing the iterator closes ``frames``.
    """
    if batch < 1:
        raise ValueError(f"batch is {batch}; give at least 1")
    config, tally = window or WindowConfig(), tally or DrawTally()
    people = [_Person(face, config, batch) for face in faces]
    held: dict[int, Frame] = {}
    due: int | None = None  # the next frame to yield
    with closing(frames):
        while True:
            frame = next(frames, None)
            if frame is not None:
                held[frame.index] = frame
                due = frame.index if due is None else due
            for person in people:
                person.advance(frame, held)
            finished = min((person.first_open for person in people if person.first_open is not None), default=None)
            while due in held and (finished is None or due < finished):
                yield _pasted(held[due], people, tally)
                due += 1
            for index in [index for index in held if index < (due or 0)]:
                if not any(person.needs(index) for person in people):
                    del held[index]
            if frame is None:
                return


def _pasted(frame: Frame, people: Sequence[_Person], tally: DrawTally) -> Frame:
    patches = [patch for person in people if (patch := person.take(frame.index)) is not None]
    tally.frames += bool(patches)
    for patch in patches:
        frame = paste_patch(frame, patch)
    return frame


class _Person:
    """One face: its planned windows, and what has been drawn but not yet pasted."""

    def __init__(self, face: DrawnFace, config: WindowConfig, batch: int) -> None:
        self._track, self._session = face.track, face.session
        self._batch, self._size = batch, config.size
        self._weights: dict[int, float] = {}
        self._plan = plan_windows(self._drawable(), config)
        self._pending: deque[PlannedWindow] = deque()
        self._drawn: dict[int, list[tuple[FacePatch | None, float]]] = {}
        self._refill()

    def _drawable(self) -> Iterator[int]:
        for start in range(self._track.first_frame, self._track.stop_frame, _BLOCK):
            weight = self._track.samples(start, min(start + _BLOCK, self._track.stop_frame)).weight
            for index in (start + int(row) for row in (weight > 0).nonzero()[0]):
                self._weights[index] = float(weight[index - start])
                yield index

    def _refill(self) -> None:
        while len(self._pending) < self._batch and (window := next(self._plan, None)) is not None:
            self._pending.append(window)

    @property
    def first_open(self) -> int | None:
        """The first frame that still waits for a window; None after the last one."""
        return self._pending[0].targets[0] if self._pending else None

    def needs(self, index: int) -> bool:
        """Whether a frame before :attr:`first_open` is still a source: of the next window, or of none, for sources only
        move on, and those of later windows are open frames or this one."""
        return bool(self._pending) and index == self._pending[0].source

    def advance(self, frame: Frame | None, held: Mapping[int, Frame]) -> None:
        """Take note of the next frame (None: there are no more) and draw the windows that can be drawn."""
        if frame is None:
            while self._pending:
                self._predict(len(self._pending), held)
            return
        if self._track.first_frame <= frame.index < self._track.stop_frame:
            self._session.observe(frame)
        while ready := sum(1 for _ in takewhile(lambda w: self._complete_at(w) <= frame.index, self._pending)):
            # A full batch, or all there is for now: the next window may be far away.
            waited = frame.index - self._complete_at(self._pending[0])
            last = frame.index >= self._track.stop_frame - 1
            if ready < self._batch and not last and waited < self._batch * self._size:
                return
            self._predict(ready, held)

    def _complete_at(self, window: PlannedWindow) -> int:
        return min(window.targets[-1] + self._session.lookahead, self._track.stop_frame - 1)

    def _predict(self, count: int, held: Mapping[int, Frame]) -> None:
        windows = [self._pending.popleft() for _ in range(count)]
        asked: list[tuple[PlannedWindow, AdjacentWindow]] = []
        for window in windows:
            # Where the clip ends before its track does, the last targets are missing.
            targets = tuple(held[index] for index in window.targets if index in held)
            if window.source in held and targets:
                asked.append((window, AdjacentWindow(source=held[window.source], targets=targets)))
        answers = self._session.predict([window for _, window in asked]) if asked else []
        for (planned, window), patches in zip(asked, answers, strict=True):
            shares = dict(zip(planned.targets, planned.shares, strict=True))
            for target, patch in zip(window.targets, patches, strict=True):
                self._drawn.setdefault(target.index, []).append((patch, shares[target.index]))
        self._refill()

    def take(self, index: int) -> FacePatch | None:
        """What was drawn for a frame, cross-faded, by the weight of the track; None where nothing was."""
        weight, drawn = self._weights.pop(index, 0.0), self._drawn.pop(index, [])
        return blend_patches([(patch, share * weight) for patch, share in drawn if patch is not None])
