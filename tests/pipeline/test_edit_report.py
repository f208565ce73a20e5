"""What an edit says it did."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from made_up_track import MadeUpTrack, talking_face

from thfem_core.face.tracking.track import FaceSamples
from thfem_core.pipeline import EditReport
from thfem_core.pipeline.report import NOBODY, TURNED, UNCLEAR, frames_without_faces


class _Turning(MadeUpTrack):
    """Away in frames 0 and 1, clear in 2 to 4, turned to the side in 5 to 8, hidden in 9."""

    def __init__(self) -> None:
        super().__init__(talking_face(8), first_frame=2)

    def samples(self, start: int, stop: int) -> FaceSamples:
        plain = super().samples(start, stop)
        frames = np.arange(start, stop)
        yaw = np.where((frames >= 5) & (frames < 9), -70.0, np.where(frames < 2, np.nan, 5.0))
        weight = np.where((frames >= 2) & (frames < 5), 1.0, 0.0)
        return FaceSamples(
            first_frame=start,
            landmarks=plain.landmarks,
            weight=weight.astype(np.float32),
            yaw=yaw.astype(np.float32),
        )


class _Bystander(MadeUpTrack):
    track_id = 1


class _Clip:
    """Tracks of a clip of ten frames with somebody in the frames from 2 on."""

    frame_count, frame_rate, size, cuts = 10, Fraction(25), (256, 256), ()

    def __init__(self) -> None:
        self.person = _Turning()
        self.tracks = (self.person, _Bystander(talking_face(8), first_frame=2))

    def missing_frames(self, chosen) -> list[range]:
        seen = [any(t.samples(n, n + 1).weight[0] > 0 for t in chosen) for n in range(self.frame_count)]
        edges = np.flatnonzero(np.diff([1, *seen, 1]))
        return [range(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def test_frames_pass_through_for_reasons_that_can_be_told_apart() -> None:
    clip = _Clip()
    reasons = frames_without_faces(clip, [clip.person])  # type: ignore[arg-type]
    assert reasons == {NOBODY: (range(2),), TURNED: (range(5, 9),), UNCLEAR: (range(9, 10),)}
    report = EditReport(frames=10, passed_through=reasons, seconds={"editing": 1.0})
    assert "3 of 10 frames edited" in report.summary and not report.nothing_edited
    assert "turned to the side): 5-8" in report.summary and "hidden or cut off): 9" in report.summary


def test_an_edit_of_nothing_says_why() -> None:
    nobody = EditReport(frames=4, passed_through={NOBODY: (range(4),)})
    assert nobody.nothing_edited
    assert nobody.summary == "no usable face found, all 4 frames passed through unchanged"
    turned = EditReport(frames=4, passed_through={TURNED: (range(4),)})
    assert turned.summary == "the face is turned to the side, all 4 frames passed through unchanged"
