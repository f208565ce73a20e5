"""What an edit did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ..face.occlusion.clip import OcclusionReport
from ..face.tracking.track import FaceTrack, FaceTracks
from ..face.weight import WeightConfig
from ..talking_head.report import LipReport

NOBODY = "no face"
TURNED = "the face is turned to the side"
UNCLEAR = "the chosen face is hidden or cut off"
_BLOCK = 64  # frames of a track read at once


@dataclass(frozen=True, kw_only=True, slots=True)
class EditReport:
    """What an edit did, for people.

    frames: How many frames came out.
    passed_through: Why frames came out unchanged → runs of such frames.
    faces: How many tracks were chosen (a person counts once per shot); None if nobody looked for faces.
    lips: What the talking head did; None without one.
    lips_by_editor: Whether the editor drew the lips by the sound.
    occlusion: What was in front of faces; None if nobody looked.
    warnings: One line each.
    seconds: Wall time of ``tracking`` and ``editing``.
    output: The file that was written, if any.
    sound: How its sound came about, if a file was written.
    """

    frames: int
    passed_through: Mapping[str, tuple[range, ...]] = field(default_factory=dict)
    faces: int | None = None
    lips: LipReport | None = None
    lips_by_editor: bool = False
    occlusion: OcclusionReport | None = None
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    output: Path | None = None
    sound: Literal["copied", "encoded", "none"] | None = None

    @property
    def frames_passed_through(self) -> int:
        """How many frames came out unchanged."""
        return sum(len(run) for runs in self.passed_through.values() for run in runs)

    @property
    def lip_frames(self) -> int | None:
        """In how many frames lips were drawn by the sound or the clip's own lips; None if nobody drew them."""
        if self.lips is not None:
            return self.lips.drawn_frames
        return self.frames - self.frames_passed_through if self.lips_by_editor else None

    @property
    def nothing_edited(self) -> bool:
        """Whether all frames came out unchanged."""
        return self.frames_passed_through == self.frames

    @property
    def summary(self) -> str:
        """What was done, in one line."""
        if self.nothing_edited:
            why = "no usable face found" if set(self.passed_through) <= {NOBODY} else ", ".join(self.passed_through)
            return f"{why}, all {self.frames} frames passed through unchanged"
        parts = [f"{self.frames - self.frames_passed_through} of {self.frames} frames edited"]
        for reason, runs in self.passed_through.items():
            parts.append(f"passed through unchanged ({reason}): {frame_runs(runs)}")
        if self.sound is not None:
            parts.append(f"sound: {self.sound}")
        if self.lips_by_editor:
            parts.append("lips drawn by the sound, with the expression")
        if self.lips is not None:
            parts.append(f"lips drawn in {self.lips.drawn_frames} (drive {self.lips.drive})")
            parts += [f"lips left in {frames}: {reason}" for reason, frames in self.lips.left.items()]
        if self.occlusion is not None and self.occlusion.frames:
            parts.append(f"something in front of the face in {self.occlusion.frames}")
            parts += [f"{part} covered and left alone in {n}" for part, n in sorted(self.occlusion.left.items())]
        seconds = sum(self.seconds.values())
        parts.append(f"{seconds:.1f} s, {self.frames / seconds:.0f} frames/s")
        return "; ".join(parts)


def frame_runs(runs: Sequence[range]) -> str:
    """Frame numbers as a person writes them, such as "0-11, 40"; long lists are cut short."""
    words = [f"{run.start}-{run.stop - 1}" if len(run) > 1 else str(run.start) for run in runs[:6]]
    return ", ".join(words) + (f" and {len(runs) - 6} more runs" if len(runs) > 6 else "")


def frames_without_faces(tracks: FaceTracks, chosen: Sequence[FaceTrack]) -> dict[str, tuple[range, ...]]:
    """Frames in which no chosen face can be edited.

    Args:
        tracks: Everybody in the clip.
        chosen: The tracks of them that are edited.

    Returns:
        Reason → runs of frames, in order; reasons that never apply are left out.
    """
    nobody = tracks.missing_frames(tracks.tracks)
    unclear = [rest for run in tracks.missing_frames(chosen) for rest in _without(run, nobody)]
    turned = [run for rest in unclear for run in _turned(rest, chosen)]
    unclear = [part for run in unclear for part in _without(run, turned)]
    reasons = {NOBODY: tuple(nobody), TURNED: tuple(turned), UNCLEAR: tuple(unclear)}
    return {reason: runs for reason, runs in reasons.items() if runs}


def _turned(run: range, chosen: Sequence[FaceTrack]) -> list[range]:
    """The parts of a run of unclear frames in which a chosen face is seen from the side."""
    least = WeightConfig().yaw_none
    turned: list[int] = []
    for start in range(run.start, run.stop, _BLOCK):
        stop = min(start + _BLOCK, run.stop)
        # NaN, where the person is away, compares as False
        sides = [np.abs(track.samples(start, stop).yaw) >= least for track in chosen]
        if sides:
            turned += [start + int(row) for row in np.logical_or.reduce(sides).nonzero()[0]]
    known = set(turned)
    starts = [frame for frame in turned if frame - 1 not in known]
    stops = [frame + 1 for frame in turned if frame + 1 not in known]
    return [range(a, b) for a, b in zip(starts, stops, strict=True)]


def _without(run: range, holes: Sequence[range]) -> list[range]:
    """The parts of ``run`` that lie in none of ``holes``, which are in order and do not overlap."""
    parts, start = [], run.start
    for hole in holes:
        if hole.stop <= start or hole.start >= run.stop:
            continue
        if hole.start > start:
            parts.append(range(start, hole.start))
        start = hole.stop
    return [*parts, range(start, run.stop)] if start < run.stop else parts
