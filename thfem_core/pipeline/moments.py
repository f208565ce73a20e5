"""Single frames of a clip, and the faces in and around them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

import torch

from ..errors import InputError
from ..expression.editor import OPENING
from ..face.tracking.track import FaceTrack, FaceTracks
from ..loaded import Kept
from ..media.frame import Frame
from ..media.random_access import RandomAccess
from ..media.video import Video, VideoInfo
from ..progress import Progress
from .faces import find_faces, kept_faces

REACH = 8  # frames on either side that are tracked where nobody has tracked the clip: what smoothing looks at
CLEAR_VIEW = 0.5  # least weight at which editors judge a face
KEPT = 4  # moments that are kept of each clip


@dataclass(frozen=True, kw_only=True, slots=True)
class _Instant:
    """A frame without a picture, for those who only ask when it is."""

    index: int
    time: Fraction


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrackedPart:
    """What is known around one frame.

    tracks: Faces of the whole clip, or of the frames around.
    offset: Number in the clip of the tracks' frame 0.
    whole: Whether the tracks are of the whole clip.
    """

    tracks: FaceTracks
    offset: int
    whole: bool


@dataclass(slots=True, eq=False)
class Excerpt:
    """Frames around a moment as a clip of their own (implements :class:`..media.video.Video`)."""

    info: VideoInfo
    pictures: list[Frame]
    source: None = None

    def frames(self, *, warn: Callable[[str], None] | None = None) -> Generator[Frame, None, None]:
        yield from self.pictures

    def sound_blocks(self, *, warn: Callable[[str], None] | None = None) -> Generator[object, None, None]:
        yield from ()


class ClipMoments:
    """Reads single frames of a clip and knows the faces around them; keeps those of the last few moments."""

    def __init__(self, video: Video, tracks: FaceTracks | None, *, device: torch.device, progress: Progress) -> None:
        """Open a clip.

        Args:
            video: The clip, or one picture.
            tracks: Faces of the whole clip, if somebody has found them.
            device: Where the face networks run.
            progress: Hears of the search for faces.

        Raises:
            InputError: The clip cannot be read, or the tracks are of another one.
        """
        self.access = RandomAccess(video)
        if tracks is not None and tracks.frame_count != len(self.access):
            raise InputError(
                f"the tracks were made on {tracks.frame_count} frames, but this clip has {len(self.access)}; connect "
                "Track Faces to the same clip"
            )
        self.video = video
        self._tracks, self._device, self._progress = tracks, device, progress
        self._pictures: Kept[Frame] = Kept(KEPT)
        self._parts: Kept[TrackedPart] = Kept(KEPT)

    @property
    def tracks(self) -> FaceTracks | None:
        """Faces of the whole clip; None if nobody has found them."""
        return self._tracks or kept_faces(self.video)

    def picture(self, index: int) -> Frame:
        """A frame by its number in the clip."""
        return self._pictures.get_or_make(index, lambda: self.access.read(index, index + 1)[0])

    def numbered(self, number: int, part: TrackedPart, *, picture: bool) -> Frame:
        """A frame by its number in the tracks of a part; without its picture where only its time is asked for."""
        index = number + part.offset
        if not picture:
            return cast(Frame, _Instant(index=number, time=self.access.times[index]))
        frame = self.picture(index)
        return frame if not part.offset else renumbered(frame, number)

    def part(self, index: int) -> TrackedPart:
        """The tracks to use for a frame: those of the clip, where somebody has found them, or those around it."""
        tracks = self.tracks
        if tracks is not None:
            return TrackedPart(tracks=tracks, offset=0, whole=True)
        return self._parts.get_or_make(index, lambda: self._tracked_around(index))

    def _tracked_around(self, index: int) -> TrackedPart:
        first = max(index - REACH, 0)
        frames = self.access.read(first, index + REACH + 1)
        self._pictures.get_or_make(index, lambda: frames[index - first])
        excerpt = Excerpt(
            info=replace(self.video.info, frame_count=len(frames)),
            pictures=[renumbered(frame, number) for number, frame in enumerate(frames)],
        )
        tracks = find_faces(cast(Video, excerpt), device=self._device, progress=self._progress)
        return TrackedPart(tracks=tracks, offset=first, whole=False)

    def looks(self, part: TrackedPart, chosen: Sequence[FaceTrack]) -> list[list[Frame]]:
        """Groups of frames to judge faces from: as an edit of the whole clip does, or the middle of the part."""
        count = part.tracks.frame_count
        if not part.whole:
            return [[self.numbered(count // 2, part, picture=True)]]
        looks = [self.access.read(0, OPENING)]
        for track in chosen:
            first = _first_clear_view(track)
            if first is not None and first >= OPENING:
                looks.append(self.access.read(first, first + 1))
        return looks


def renumbered(frame: Frame, number: int) -> Frame:
    """The frame under another number."""
    return replace(frame, index=number)  # type: ignore[type-var]  # all frames are dataclasses


def _first_clear_view(track: FaceTrack) -> int | None:
    """The first frame in which editors can judge a face."""
    for start in range(track.first_frame, track.stop_frame, 64):
        weight = track.samples(start, min(start + 64, track.stop_frame)).weight
        clear = (weight > CLEAR_VIEW).nonzero()[0]
        if len(clear):
            return start + int(clear[0])
    return None
