"""Everybody in a clip, and the choice among them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import get_args

import numpy as np

from ...errors import InputError
from .appearances import BLOCK, Appearances
from .association import box_side, landmark_box
from .track import FaceChoice, FaceOrder, FaceSamples, FaceTrack

# Smoothed blocks of a track that are kept, 0.4 MB each: a clip of a minute is smoothed once for all who read it.
KEPT_BLOCKS = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipTrack:
    """One person inside one shot (implements :class:`.track.FaceTrack`).

    track_id: Unique in the clip.
    appearances: Where the person is seen.
    x: Median centre of the face, pixels from the left.
    side: Median size of the face, pixels.
    frames: How many frames it is seen in.
    """

    track_id: int
    appearances: Appearances
    x: float = field(init=False)
    side: float = field(init=False)
    frames: int = field(init=False)
    _block: Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        boxes = [landmark_box(row) for row in self.appearances.sparse(100)]
        object.__setattr__(self, "x", float(np.median([(b[0] + b[2]) / 2 for b in boxes])))
        object.__setattr__(self, "side", float(np.median([box_side(b) for b in boxes])))
        object.__setattr__(self, "frames", sum(s.stop - s.first for s in self.appearances.segments))
        object.__setattr__(self, "_block", lru_cache(maxsize=KEPT_BLOCKS)(self.appearances.block))

    @property
    def first_frame(self) -> int:
        return self.appearances.segments[0].first

    @property
    def stop_frame(self) -> int:
        return self.appearances.segments[-1].stop

    @property
    def prominence(self) -> float:
        """Size times time on screen: what makes a face the largest of its shot."""
        return self.side * self.frames

    def samples(self, start: int, stop: int) -> FaceSamples:
        """Read frames [start, stop) of the clip; the values do not depend on the range."""
        count = max(stop - start, 0)
        landmarks = np.full((count, 478, 3), np.nan, np.float32)
        weight, yaw = np.zeros(count, np.float32), np.full(count, np.nan, np.float32)
        low, high = max(start, self.first_frame), min(stop, self.stop_frame)
        for number in range(low // BLOCK, -(-high // BLOCK) if low < high else 0):
            block = self._block(number)
            a, b = max(low, number * BLOCK), min(high, (number + 1) * BLOCK)
            source, target = slice(a - number * BLOCK, b - number * BLOCK), slice(a - start, b - start)
            landmarks[target], weight[target], yaw[target] = (part[source] for part in block)
        return FaceSamples(first_frame=start, landmarks=landmarks, weight=weight, yaw=yaw)


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipFaces:
    """Everybody in a clip (implements :class:`.track.FaceTracks`).

    name: Of the clip, for messages.
    frame_count: Frames of the clip.
    frame_rate: Frames per second.
    size: Width and height of the frame, pixels.
    tracks: All people of all shots, by ``track_id``.
    cuts: First frames of the shots after the first.
    min_frames: Frames a face must be seen in to be counted; shorter ones are mostly false alarms.
    shots: Frames of each shot.
    """

    name: str
    frame_count: int
    frame_rate: Fraction
    size: tuple[int, int]
    tracks: tuple[ClipTrack, ...]
    cuts: tuple[int, ...]
    min_frames: int = 1
    shots: tuple[range, ...] = field(init=False)

    def __post_init__(self) -> None:
        edges = (0, *self.cuts, self.frame_count)
        object.__setattr__(self, "shots", tuple(range(a, b) for a, b in pairwise(edges)))

    def in_shot(self, shot: int, *, order: FaceOrder = "left-right") -> tuple[ClipTrack, ...]:
        """List the faces of a shot in the order that numbers them from 0."""
        if order not in get_args(FaceOrder):
            raise InputError(f"unknown face order {order!r}; choose one of: {', '.join(get_args(FaceOrder))}")
        frames = self.shots[shot]
        least = min(self.min_frames, max(len(frames) // 2, 1))
        counted = [t for t in self.tracks if bisect_right(self.cuts, t.first_frame) == shot and t.frames >= least]
        if order == "size":
            return tuple(sorted(counted, key=lambda t: (-t.prominence, t.track_id)))
        return tuple(sorted(counted, key=lambda t: (t.x, t.track_id)))

    def select(self, choice: FaceChoice, *, order: FaceOrder = "left-right") -> tuple[ClipTrack, ...]:
        """See :meth:`.track.FaceTracks.select`."""
        if choice == "largest":
            choice, order = 0, "size"
        shots = [self.in_shot(shot, order=order) for shot in range(len(self.shots))]
        most = max(map(len, shots), default=0)
        if most == 0:
            raise InputError(
                f"no face found in {self.name}; use a clip in which a face looks towards the camera and is not tiny"
            )
        if choice == "all":
            return tuple(track for shot in shots for track in shot)
        if not isinstance(choice, int):
            raise InputError(f"unknown face choice {choice!r}; give largest, all, or a number from 0 to {most - 1}")
        if not 0 <= choice < most:
            exist = "only face 0" if most == 1 else f"faces 0–{most - 1}"
            raise InputError(f"face {choice} does not exist; this clip has {exist}")
        return tuple(shot[choice] for shot in shots if choice < len(shot))

    def missing_frames(self, chosen: Sequence[FaceTrack]) -> list[range]:
        """List the runs of frames in which none of the chosen tracks has weight above 0."""
        covered = np.zeros(self.frame_count, bool)
        for track in chosen:
            for start in range(track.first_frame, track.stop_frame, BLOCK):
                stop = min(start + BLOCK, track.stop_frame)
                covered[start:stop] |= track.samples(start, stop).weight > 0
        edges = np.flatnonzero(np.diff(np.concatenate([[True], covered, [True]]).astype(np.int8)))
        return [range(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
