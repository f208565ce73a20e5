"""What is in front of the faces of a clip, passed from the stage that looks to the stages that edit around it."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from threading import Lock

import numpy as np

from ...media.frame import Box, Frame
from ..smoothstep import smoothstep
from ..tracking.track import FaceTrack
from .cover import FaceCover, field_over
from .crop import occlusion_crop
from .face_mask import FaceMask
from .followed_face import FollowedFace, Place
from .network import PIXELS, STRIDE
from .sources import OcclusionSource

MOST_HELD = 256  # faces: more than the queues between the stages of an edit and a window of the talking head hold
# Covered shares of the mouth between which a talking head gives way: what it draws around a hand would be softer than
# the rest of the mouth beside it.
HALF_MOUTH = 0.05, 0.25
SAMPLES = PIXELS // STRIDE  # side of the network's masks
LEAST_SEEN = Fraction(9, 100)  # seconds; of a clip of 24 to 30 frames per second, two frames are never missed


@dataclass(kw_only=True, slots=True)
class OcclusionReport:
    """What was in front of faces; filled in while frames pass.

    frames: Frames in which something was.
    left: Part of the face, mostly covered → frames in which it was left alone.
    """

    frames: int = 0
    left: Counter[str] = field(default_factory=Counter)


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
        self._faces = [FollowedFace(track, frame_rate, steady=source.steady) for track in tracks]
        self._last: dict[int, FaceMask] = {}  # of the frame seen last
        # a mask of the user's is read frame by frame
        self._most_waiting = 0 if source.steady else max(0, int(LEAST_SEEN * frame_rate) - 1)
        self._places: OrderedDict[tuple[int, int], Place] = OrderedDict()
        self._kept: dict[int, tuple[Frame, list[tuple[Box, np.ndarray]]]] = {}
        self._lock = Lock()

    def look(self, frame: Frame) -> None:
        """See the next frame, before it is edited."""
        self._source.begin(frame)
        self._take(frame, self._masks(frame))

    def look_through(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """See a stream of frames, few of them while nothing is in front of a face.

        Frames between two in which the network sees nothing are taken to be like them: what shows for
        :data:`LEAST_SEEN` seconds or longer is seen in all of its frames.

        Args:
            frames: The frames, in order.

        Yields:
            Every frame, a little after it came.
        """
        waiting = list[Frame]()
        for frame in frames:
            if waiting and frame.time - waiting[0].time >= LEAST_SEEN:  # they show longer than frames do on average
                yield from self._seen(waiting)
            waiting.append(frame)
            if len(waiting) > self._most_waiting or not self._is_clear(frame, self._last):
                yield from self._seen(waiting)
        if waiting:
            yield from self._seen(waiting)

    def _seen(self, waiting: list[Frame]) -> Iterator[Frame]:
        """Look at the last of some frames, and at the others unless nothing is in front of their faces there, too."""
        *others, last = waiting
        waiting.clear()
        self._source.begin(last)
        masks = self._masks(last)
        for each in others:
            self._take(each, self._nothing(each) if self._is_clear(each, masks) else self._masks(each))
            yield each
        self._take(last, masks)
        yield last

    def _masks(self, frame: Frame) -> dict[int, FaceMask]:
        """Face → what covers it in a frame; faces outside the frame are left out."""
        masks = {face.track_id: self._source.face(frame, points) for face, points in self._present(frame)}
        return {track_id: mask for track_id, mask in masks.items() if mask is not None}

    def _present(self, frame: Frame) -> list[tuple[FollowedFace, np.ndarray]]:
        """The faces that are edited in a frame, with their landmarks (478, 3)."""
        found = ((face, face.landmarks(frame.index)) for face in self._faces)
        return [(face, points) for face, points in found if points is not None]

    def _is_clear(self, frame: Frame, beside: dict[int, FaceMask]) -> bool:
        """Whether nothing covers the faces of a frame in the masks of the frame beside it."""
        faces = [face.track_id for face, _ in self._present(frame)]
        return bool(faces) and all(each in beside and not beside[each].covered.any() for each in faces)

    def _nothing(self, frame: Frame) -> dict[int, FaceMask]:
        """Masks of a frame in which nothing covers the faces."""
        return {
            face.track_id: FaceMask(crop=occlusion_crop(points), covered=np.zeros((SAMPLES, SAMPLES), np.float32))
            for face, points in self._present(frame)
        }

    def _take(self, frame: Frame, masks: dict[int, FaceMask]) -> None:
        """Remember what was seen in the next frame."""
        kept, left = list[tuple[Box, np.ndarray]](), set[str]()
        whole = self._source.whole()
        if whole is not None:
            kept.append(whole)
        for face in self._faces:
            if face.track_id not in masks:
                continue
            seen = face.take(frame.index, masks[face.track_id])
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
        self._last = masks

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
