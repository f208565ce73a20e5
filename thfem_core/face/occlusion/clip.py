"""What is in front of the faces of a clip, passed from the stage that looks to the stages that edit around it."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from threading import Lock

import numpy as np

from ...media.frame import Box, Frame
from ..crop import FaceCrop
from ..smoothstep import smoothstep
from ..tracking.track import FaceTrack
from .cover import FIELD, FaceCover, field_over, make_cover
from .parts import PARTS, CoveredParts, covered_share, left_alone
from .sources import OcclusionSource
from .steady import SteadyMask

MOST_HELD = 256  # faces: more than the queues between the stages of an edit and a window of the talking head hold
# Covered shares of the mouth between which a talking head gives way: what it draws around a hand would be softer than
# the rest of the mouth beside it.
HALF_MOUTH = 0.05, 0.25
_BLOCK = 32  # tracked frames read at once


@dataclass(kw_only=True, slots=True)
class OcclusionReport:
    """What was in front of faces; filled in while frames pass.

    frames: Frames in which something was.
    left: Part of the face, mostly covered → frames in which it was left alone.
    """

    frames: int = 0
    left: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class _Place:
    """One face in one frame: its square, what is in front of it, if anything, and the share of the mouth it covers."""

    crop: FaceCrop
    cover: FaceCover | None
    mouth: float


class ClipOcclusion:
    """Looks at every frame of a clip once, in order; remembers the last ones.

    Another thread may ask what was seen. What was last seen is enough for that: memory does not grow with the clip.
    """

    def __init__(self, source: OcclusionSource, tracks: Sequence[FaceTrack], frame_rate: Fraction) -> None:
        """Start.

        Args:
            source: Says what covers faces.
            tracks: The faces.
            frame_rate: Frames per second.
        """
        self.report = OcclusionReport()
        self._source = source
        self._faces = [_Face(track, frame_rate, steady=source.steady) for track in tracks]
        self._places: OrderedDict[tuple[int, int], _Place] = OrderedDict()
        self._kept: dict[int, tuple[Frame, list[tuple[Box, np.ndarray]]]] = {}
        self._lock = Lock()

    def look(self, frame: Frame) -> None:
        """See the next frame, before it is edited."""
        self._source.begin(frame)
        kept, left = list[tuple[Box, np.ndarray]](), set[str]()
        whole = self._source.whole()
        if whole is not None:
            kept.append(whole)
        for face in self._faces:
            seen = face.look(frame, self._source)
            if seen is None:
                continue
            with self._lock:
                self._places[face.track_id, frame.index] = seen
                if len(self._places) > MOST_HELD:
                    self._places.popitem(last=False)
            left |= face.left
            if seen.cover is not None and (box := seen.cover.crop.box(frame)).width and box.height:
                kept.append((box, seen.cover.over(seen.cover.kept, box)))
        if kept:
            self.report.frames += 1
            self.report.left.update(left)
            with self._lock:
                self._kept[frame.index] = frame, kept

    def cover(self, track_id: int, frame: int) -> FaceCover | None:
        """What is in front of a face in a frame; None for nothing."""
        with self._lock:
            place = self._places.get((track_id, frame))
        return None if place is None else place.cover

    def lips_free(self, track_id: int, frame: int) -> float:
        """How far a talking head may draw a face: 1 as ever, falling to 0 where a part of the mouth is covered.

        Args:
            track_id: Of the face.
            frame: Number of the frame that is drawn.

        Returns:
            Factor on the opacity of what is drawn.
        """
        with self._lock:
            place = self._places.get((track_id, frame))
        return 1.0 if place is None else float(1 - smoothstep(np.float64(place.mouth), *HALF_MOUTH))

    def carried(self, track_id: int, source: int, target: int, box: Box) -> np.ndarray | None:
        """Where a face that is drawn in one frame from the picture of another shows what covered it there.

        Args:
            track_id: Of the face.
            source: Number of the frame whose pixels are used.
            target: Number of the frame that is drawn.
            box: Part of the target frame.

        Returns:
            (h, w) float32 over the box, 1 where the source was covered; None where nothing covered it.
        """
        with self._lock:
            there, here = self._places.get((track_id, source)), self._places.get((track_id, target))
        if there is None or there.cover is None or here is None:
            return None
        return field_over(there.cover.kept, here.crop, box)

    def restore(self, frame: Frame) -> Frame:
        """Give an edited frame back what is in front of its faces.

        Args:
            frame: The edited frame.

        Returns:
            The frame; covered samples are those of the unedited frame bit for bit.
        """
        with self._lock:
            source, kept = self._kept.get(frame.index, (frame, []))
        if frame is source:
            return frame
        for box, alpha in kept:
            frame = frame.restored(source, box, alpha)
        return frame

    def masks(self, frame: Frame) -> np.ndarray:
        """Draw what is kept of a frame that was looked at.

        Args:
            frame: The frame.

        Returns:
            (H, W) float32, 1 on what is in front of a face and where a part is left alone, 0 elsewhere.
        """
        mask = np.zeros((frame.height, frame.width), np.float32)
        with self._lock:
            _, kept = self._kept.get(frame.index, (frame, []))
        for box, alpha in kept:
            part = mask[box.y0 : box.y1, box.x0 : box.x1]
            np.maximum(part, alpha, out=part)
        return mask

    def forget(self, frame: Frame) -> None:
        """Let go of a frame that nobody restores any more."""
        with self._lock:
            self._kept.pop(frame.index, None)

    def close(self) -> None:
        """End the pass over the clip."""
        self._source.close()


class _Face:
    """One face on its way through the clip."""

    def __init__(self, track: FaceTrack, frame_rate: Fraction, *, steady: bool) -> None:
        self.track_id = track.track_id
        self.left: set[str] = set()
        self._track = track
        self._mask = None if steady else SteadyMask(frame_rate)
        self._parts = CoveredParts(frame_rate)
        self._last = -1
        self._start = self._stop = 0

    def look(self, frame: Frame, source: OcclusionSource) -> _Place | None:
        """See a frame; None where the face is not edited there."""
        index, self.left = frame.index, set()
        if not self._track.first_frame <= index < self._track.stop_frame:
            return None
        if not self._start <= index < self._stop:
            self._start, self._stop = index, min(index + _BLOCK, self._track.stop_frame)
            self._samples = self._track.samples(self._start, self._stop)
        row = index - self._start
        if self._samples.weight[row] <= 0:
            return None
        landmarks = self._samples.landmarks[row]
        mask = source.face(frame, landmarks)
        if mask is None:
            return None
        if index != self._last + 1:
            self._parts.restart()
            if self._mask is not None:
                self._mask.restart()
        self._last = index
        covered = mask.covered if self._mask is None else self._mask.push(mask.covered)
        points = mask.crop.to_crop(landmarks[:, :2], len(covered))
        amounts = self._parts.push(covered, points)
        self.left = {name for name, amount in amounts.items() if amount >= 0.5}
        left = left_alone(amounts, mask.crop.to_crop(landmarks[:, :2], FIELD), FIELD) if amounts else None
        cover = make_cover(mask.crop, covered, left)
        mouth = 0.0 if cover is None else covered_share(PARTS["mouth"], covered, points)
        return _Place(crop=mask.crop, cover=cover, mouth=mouth)
