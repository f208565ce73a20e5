"""Driving talking heads through a stream of edited frames, window by window."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import takewhile

from ..face.occlusion.clip import ClipOcclusion
from ..face.tracking.track import FaceTrack
from ..media.frame import Frame
from .blending import blend_patches, paste_patch, without_carried
from .head import AdjacentWindow, FacePatch, FaceSession, PatchOrReason
from .report import LipReport
from .windows import PlannedWindow, WindowConfig, plan_windows

_BLOCK = 64  # frames of a track read at once


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnFace:
    """A person, and the session of a talking head that draws them.

    track: Where the person is.
    session: Draws this person alone.
    """

    track: FaceTrack
    session: FaceSession


def draw_faces(
    frames: Generator[Frame, None, None],
    faces: Sequence[DrawnFace],
    *,
    window: WindowConfig | None = None,
    batch: int = 1,
    report: LipReport | None = None,
    occlusion: ClipOcclusion | None = None,
) -> Generator[Frame, None, None]:
    """Draw faces again, in the windows of :func:`.windows.plan_windows`.

    A face is drawn where its track's weight is above 0, with that opacity; frames without any face come out as they
    are. In memory are the frames of about ``batch`` windows and of the sessions' lookahead.

    Args:
        frames: Edited frames with consecutive numbers. Sources are these frames, never drawn ones.
        faces: Whom to draw, pasted in this order.
        window: How the frames are cut into windows; None for the paper's choice.
        batch: Windows per call of a session; the result is the same for any number.
        report: Filled in while frames come out.
        occlusion: What is in front of the faces: it is not carried from a source into other frames.

    Yields:
        The frames, in order. Closing this iterator closes ``frames``.

    Raises:
        ValueError: The batch is below 1.
    """
    if batch < 1:
        raise ValueError(f"batch is {batch}; give at least 1")
    report = report or LipReport(drive="blend")
    people = [_Person(face, window or WindowConfig(), batch, occlusion) for face in faces]
    held: dict[int, Frame] = {}  # frames that are sources, or wait to be drawn
    due: int | None = None  # the next frame to yield
    with closing(frames):
        while True:
            frame = next(frames, None)
            if frame is not None:
                held[frame.index] = frame
                due = frame.index if due is None else due
            for person in people:
                person.advance(frame, held)
            first_open = min((person.first_open for person in people if person.first_open is not None), default=None)
            while due in held and (first_open is None or due < first_open):
                yield _with_faces(held[due], people, report)
                due += 1
            for index in [index for index in held if index < (due or 0)]:
                if not any(person.needs(index) for person in people):
                    del held[index]
            if frame is None:
                return


def _with_faces(frame: Frame, people: Sequence[_Person], report: LipReport) -> Frame:
    """Paste what was drawn for a frame, and count it."""
    answers = [answer for person in people if (answer := person.take(frame.index)) is not None]
    patches = [answer for answer in answers if isinstance(answer, FacePatch)]
    report.left.update(answer for answer in answers if isinstance(answer, str))
    report.drawn_frames += bool(patches)
    for patch in patches:
        frame = paste_patch(frame, patch)
    return frame


class _Person:
    """One face: its planned windows, and what has been drawn but not yet pasted."""

    def __init__(self, face: DrawnFace, config: WindowConfig, batch: int, occlusion: ClipOcclusion | None) -> None:
        self._track, self._session, self._occlusion = face.track, face.session, occlusion
        self._batch, self._size = batch, config.size
        self._weights: dict[int, float] = {}  # of the track, in frames that are planned and not yet taken
        self._plan = plan_windows(self._drawable(), config)
        self._pending: deque[PlannedWindow] = deque()
        self._answers: dict[int, list[tuple[PatchOrReason, float]]] = {}  # frame → answers and their shares
        self._refill()

    def _drawable(self) -> Iterator[int]:
        """Numbers of the frames in which the track's weight is above 0, read block by block."""
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
        """Whether a frame before :attr:`first_open` is still a source.

        Only the next window can have such a source: sources move forward, so those of later windows are this one or
        frames that are still open.
        """
        return bool(self._pending) and index == self._pending[0].source

    def advance(self, frame: Frame | None, held: Mapping[int, Frame]) -> None:
        """Take note of the next frame (None: there are no more), and draw the windows that can be drawn now."""
        if frame is None:
            while self._pending:
                self._predict(len(self._pending), held)
            return
        if self._track.first_frame <= frame.index < self._track.stop_frame:
            self._session.observe(frame)
        while ready := sum(1 for _ in takewhile(lambda w: self._complete_at(w) <= frame.index, self._pending)):
            # Wait for a full batch, but not for windows that are far away.
            waited = frame.index - self._complete_at(self._pending[0])
            last = frame.index >= self._track.stop_frame - 1
            if ready < self._batch and not last and waited < self._batch * self._size:
                return
            self._predict(ready, held)

    def _complete_at(self, window: PlannedWindow) -> int:
        """The frame after whose observation a window can be predicted."""
        return min(window.targets[-1] + self._session.lookahead, self._track.stop_frame - 1)

    def _predict(self, count: int, held: Mapping[int, Frame]) -> None:
        """Have the session draw the next ``count`` windows."""
        planned = [self._pending.popleft() for _ in range(count)]
        asked: list[tuple[PlannedWindow, AdjacentWindow]] = []
        for plan in planned:
            # Where the clip ends before its track does, the last targets are missing.
            targets = tuple(held[index] for index in plan.targets if index in held)
            if plan.source in held and targets:
                asked.append((plan, AdjacentWindow(source=held[plan.source], targets=targets)))
        answers = self._session.predict([window for _, window in asked]) if asked else []
        for (plan, window), row in zip(asked, answers, strict=True):
            shares = dict(zip(plan.targets, plan.shares, strict=True))
            for target, answer in zip(window.targets, row, strict=True):
                if isinstance(answer, FacePatch):
                    answer = without_carried(
                        answer,
                        self._occlusion,
                        track_id=self._track.track_id,
                        source=plan.source,
                        target=target.index,
                    )
                self._answers.setdefault(target.index, []).append((answer, shares[target.index]))
        self._refill()

    def take(self, index: int) -> PatchOrReason | None:
        """Take what was drawn for a frame.

        Returns:
            All windows' drawings cross-faded, with the weight of the track as opacity; the reason where no window drew
            the face; None where the person is not in the frame.
        """
        weight, answers = self._weights.pop(index, 0.0), self._answers.pop(index, [])
        patch = blend_patches([(drawn, share * weight) for drawn, share in answers if isinstance(drawn, FacePatch)])
        return patch if patch is not None or not answers else answers[0][0]
