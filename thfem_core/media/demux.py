"""Reading the packets of a track to the real end of its file, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import av
import av.error

# So many failing reads in a row are the end of what can be read; a bad sector is some, a lost network share is all.
_MOST_FAILURES = 1000
_BEFORE_ALL = -(1 << 62)


@dataclass(slots=True)
class Losses:
    """What one pass over a track met; counts up while the pass runs."""

    packets: int = 0
    """Packets read."""
    hidden: int = 0
    """Packets that the file itself marks as not to be shown, such as those before an edit list's cut."""
    failed_reads: int = 0
    """Reads that failed (bad disk, damaged container)."""
    damaged: int = 0
    """Packets that did not decode, or only in part."""

    def reset(self) -> None:
        """Start counting anew."""
        self.packets = self.hidden = self.failed_reads = self.damaged = 0


def read_packets(
    container: av.container.InputContainer, stream: av.stream.Stream, losses: Losses
) -> Iterator[av.Packet]:
    """Read every packet of a track that can be read.

    Args:
        container: an open file.
        stream: one of its tracks.
        losses: is counted up.

    Returns:
        Packets with data, in the order of the file. After a failed read the next one is tried.
    """
    packets = container.demux(stream)
    failures = 0
    last, sought = _BEFORE_ALL, False
    reached = last  # in ticks of the stream: what has been read, or skipped as unreadable
    while failures < _MOST_FAILURES:
        try:
            packet = next(packets)
        except (StopIteration, av.error.EOFError):
            return
        except av.error.FFmpegError:
            losses.failed_reads += 1
            failures += 1
            if failures > 1:  # the same place again: go on behind it
                behind = _next_key(stream, reached)
                if behind is None:
                    return
                reached = behind
                sought = True
                with suppress(av.error.FFmpegError):
                    container.seek(behind, stream=stream)
            packets = container.demux(stream)
            continue
        if packet.size:
            failures = 0
            if packet.dts is not None:
                if sought and packet.dts <= last:
                    continue  # a seek may land on what was read before
                sought, last = False, packet.dts
                reached = max(reached, last)
            losses.packets += 1
            losses.hidden += bool(packet.is_discard)
            yield packet


def _next_key(stream: av.stream.Stream, after: int) -> int | None:
    """Time stamp of the first key packet after a moment, where the container has an index of them."""
    entries = getattr(stream, "index_entries", ())  # PyAV knows them from version 17 on
    return next((entry.timestamp for entry in entries if entry.is_keyframe and entry.timestamp > after), None)
