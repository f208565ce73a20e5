"""The sound of any video or sound file, by its path."""

from __future__ import annotations

from collections.abc import Callable, Generator
from fractions import Fraction

from ..errors import InputError
from .facts import is_cover
from .file_video import FileVideo
from .sound import Sound, join_sound
from .sound_stream import find_sound_stream, read_sound_blocks, stream_start
from .source import MediaSource, open_media


def file_sound_blocks(
    media: MediaSource,
    *,
    start: Fraction = Fraction(0),
    duration: Fraction | None = None,
    warn: Callable[[str], None] | None = None,
) -> Generator[Sound, None, None]:
    """Read the sound of a video or sound file as a stream.

    Args:
        media: path or bytes of the file.
        start: where to begin, in seconds. In a video, sample 0 is the moment of the first frame with a time stamp of
            at least ``start``; in a pure sound file it is ``start`` seconds after the first sample.
        duration: how much to read, in seconds; None = to the end.
        warn: is told in one line why nothing of a track can be used; by default the line is logged.

    Returns:
        Blocks of one rate and layout; none where there is no sound track, or none that decodes.

    Raises:
        InputError: the file cannot be opened.
    """
    start, duration = Fraction(start), None if duration is None else Fraction(duration)
    with open_media(media) as container:
        has_pictures = any(
            not is_cover(stream) and stream.codec_context is not None for stream in container.streams.video
        )
        track = find_sound_stream(container)
        origin = start if track is None else stream_start(track) + start
    stop = None if duration is None else origin + duration
    if has_pictures:  # a video's clock is that of its frames
        try:
            source = FileVideo(media, start=start, duration=duration).source
            origin, stop = source.origin, source.stop
        except InputError:
            if track is None:
                raise
    yield from read_sound_blocks(media, origin=origin, stop=stop, warn=warn)


def read_sound(
    media: MediaSource,
    *,
    start: Fraction = Fraction(0),
    duration: Fraction | None = None,
    warn: Callable[[str], None] | None = None,
) -> Sound | None:
    """Read all of :func:`file_sound_blocks` into memory; None where there is no sound that can be read."""
    return join_sound(file_sound_blocks(media, start=start, duration=duration, warn=warn))
