"""Single frames from anywhere in a clip, without reading all that lies before them where the file allows it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from itertools import islice

from .array_video import ArrayVideo
from .demux import Losses, read_packets
from .file_video import FileVideo
from .frame import Frame
from .source import open_media, source_name
from .timing import frame_time
from .trimmed import TrimWindow, decode_pictures
from .video import Video
from .video_stream import can_seek, find_video_stream
from .yuv.planar_frame import PlanarFrame


class RandomAccess:
    """The frames of a clip by their numbers.

    times: Exact time of each frame, in seconds from the first.
    """

    def __init__(self, video: Video) -> None:
        """Find out when each frame is shown.

        A file is read for its time stamps, without decoding; where it has none to rely on, the clip is decoded.

        Args:
            video: The clip.

        Raises:
            InputError: The clip cannot be read.
        """
        self.video = video
        self._ticks = _time_stamps(video) if isinstance(video, FileVideo) else None
        if self._ticks is not None:
            origin, tick = self._ticks[0], video.info.time_base or 1 / video.info.frame_rate
            self.times: Sequence[Fraction] = [(each - origin) * tick for each in self._ticks]
        elif isinstance(video, ArrayVideo):
            self.times = [frame_time(index, video.info.frame_rate) for index in range(len(video.images))]
        else:
            with closing(video.frames()) as frames:
                self.times = [frame.time for frame in frames]

    def __len__(self) -> int:
        return len(self.times)

    def at(self, seconds: Fraction) -> int:
        """The number of the frame that is shown at a moment; the first or last one outside of the clip."""
        return min(max(bisect_right(self.times, seconds) - 1, 0), len(self) - 1)

    def read(self, first: int, stop: int) -> list[Frame]:
        """Decode frames [first, stop), as far as the clip has them.

        Raises:
            InputError: The clip cannot be read.
        """
        first, stop = max(first, 0), min(stop, len(self))
        if isinstance(self.video, ArrayVideo):
            return [self.video.frame(index) for index in range(first, stop)]
        if self._ticks is not None and isinstance(self.video, FileVideo):
            frames = self._sought(self.video, self._ticks[first:stop], first)
            if len(frames) == stop - first:
                return frames
        # a damaged file, whose pictures are not those that its time stamps promise
        with closing(self.video.frames()) as stream:
            return list(islice(stream, first, stop))

    def _sought(self, video: FileVideo, ticks: Sequence[int], first: int) -> list[Frame]:
        """Frames of a file by their time stamps; fewer where it does not hold them all."""
        if not ticks:
            return []
        source, tick = video.source, video.info.time_base or 1 / video.info.frame_rate
        window = TrimWindow(start=max(ticks[0] * tick, Fraction(0)))
        numbers = {each: first + number for number, each in enumerate(ticks)}
        found: list[Frame] = []
        with closing(decode_pictures(source.media, window)) as pictures:
            for decoded in pictures:
                if decoded.ticks > ticks[-1]:
                    break
                if decoded.ticks in numbers:
                    found.append(
                        PlanarFrame(
                            index=numbers[decoded.ticks],
                            time=decoded.ticks * tick - source.origin,
                            picture=decoded.picture,
                            layout=decoded.layout,
                            tags=decoded.tags,
                        )
                    )
        return found


def _time_stamps(video: FileVideo) -> list[int] | None:
    """Time stamps of all frames in order, in ticks of the track; None where the file cannot be searched by them."""
    source = video.source
    with open_media(source.media) as container:
        stream = find_video_stream(container, source_name(source.media))
        if not can_seek(container):
            return None
        ticks = [packet.pts for packet in read_packets(container, stream, Losses()) if not packet.is_discard]
    if None in ticks or len(set(ticks)) < len(ticks):
        return None
    tick = video.info.time_base or 1 / video.info.frame_rate
    stop = None if source.stop is None else int(source.stop / tick)
    known = sorted(each for each in ticks if each is not None)
    known = [each for each in known if each * tick >= source.origin and (stop is None or each < stop)]
    return known or None
