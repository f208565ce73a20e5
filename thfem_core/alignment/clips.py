"""Pairing the frames of two clips by what is said in them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

import numpy as np

from ..audio.mfcc import mfcc_at
from ..audio.profile import COMPACT
from ..audio.speech import Speech
from ..audio.window import audio_windows
from ..errors import InputError
from ..media.timing import frame_time, frame_to_sample
from ..media.video import Video
from ..progress import Progress, silent
from .dtw import MOST_PAIRS, WarpingPath, dtw_path
from .frame_map import FrameMap
from .pauses import quiet_frames, with_even_pauses

Features = Literal["mfcc", "mel"]

_STAGE = "Aligning speech"
_MOST_STRETCH = 3  # nobody says the same sentence this many times slower


@dataclass(frozen=True, kw_only=True, slots=True)
class AlignmentConfig:
    """How clips are aligned.

    features: "mfcc" for 13 cepstra, as THFEM does; "mel" for the 80 mel bands of the embedded talking head.
    band: Seconds by which the speech of the second clip may stray from an even stretch; None for no limit.
    """

    features: Features = "mfcc"
    band: Fraction | None = None

    def __post_init__(self) -> None:
        if self.features not in get_args(Features):
            raise InputError(f"there are no features {self.features!r}; choose one of {', '.join(get_args(Features))}")
        if self.band is not None and self.band <= 0:
            raise InputError(f"the band is {float(self.band):g} s; give more than 0, or none for no limit")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Alignment:
    """Two clips aligned.

    frame_map: Which frame goes with which: the result.
    path: The warping that it was made from.
    first: (N, F), features of the first clip.
    second: (M, F), features of the second clip.
    """

    frame_map: FrameMap
    path: WarpingPath
    first: np.ndarray
    second: np.ndarray


def speech_features(speech: Speech, frame_rate: Fraction, frame_count: int, *, features: Features) -> np.ndarray:
    """Describe what is heard at each frame, at one level whatever the recording's.

    Args:
        speech: The sound of the clip.
        frame_rate: Frames per second.
        frame_count: Frames of the clip.
        features: "mfcc" looks at the 25 ms from the first sample of a frame on, "mel" at the column centred there.

    Returns:
        float64 (frame_count, 13 or 80).
    """
    if features == "mfcc":
        starts = [frame_to_sample(frame, frame_rate, speech.sample_rate) for frame in range(frame_count)]
        rows = mfcc_at(speech.samples, np.array(starts))
        rows[:, 0] += 2 * np.log(speech.gain)  # the only coefficient that knows how loud it is
        return rows
    times = [frame_time(frame, frame_rate) for frame in range(frame_count)]
    return audio_windows(speech, times, profile=COMPACT, steps=1, normalise=True)[:, 0].numpy().astype(np.float64)


def align_clips(
    first: Video, second: Video, *, config: AlignmentConfig | None = None, progress: Progress = silent
) -> Alignment:
    """Find for each frame of one clip the frame of another in which the same is said.

    Only the sound is looked at; where both clips are quiet the pace is even.

    Args:
        first: A clip with speech.
        second: A clip with the same words.
        config: How they are aligned; None for the defaults.
        progress: Hears how far it is.

    Returns:
        The alignment.

    Raises:
        InputError: A clip has no speech, one is so much longer that they cannot have the same words, or they are too
            long to compare.
    """
    config = config or AlignmentConfig()
    clips = (first, second)
    counts = [_frame_count(clip) for clip in clips]
    seconds = [float(count / clip.info.frame_rate) for count, clip in zip(counts, clips, strict=True)]
    if max(seconds) > _MOST_STRETCH * min(seconds):
        raise InputError(
            f"{first.info.name} lasts {seconds[0]:.1f} s and {second.info.name} {seconds[1]:.1f} s, which cannot be "
            "the same words; trim both to the same sentence"
        )
    if counts[0] * counts[1] > MOST_PAIRS:
        most = (MOST_PAIRS / counts[0] / counts[1]) ** 0.5 * min(seconds) / 60
        raise InputError(
            f"{first.info.name} and {second.info.name} are too long to align in one go; "
            f"cut them into parts of at most {most:.1f} minutes, at best a sentence each"
        )
    rows, quiet = [], []
    for number, clip in enumerate(clips):
        progress(_STAGE, number, 3)
        speech, rate = _speech_of(clip), clip.info.frame_rate
        rows.append(speech_features(speech, rate, counts[number], features=config.features))
        quiet.append(quiet_frames(speech, rate, counts[number]))
    progress(_STAGE, 2, 3)
    band = None if config.band is None else max(1, round(config.band * second.info.frame_rate))
    path = dtw_path(*rows, band=band)
    progress(_STAGE, 3, 3)
    frame_map = FrameMap(
        target=with_even_pauses(path, *quiet),
        first_rate=first.info.frame_rate,
        second_rate=second.info.frame_rate,
        mean_cost=path.mean_cost,
    )
    return Alignment(frame_map=frame_map, path=path, first=rows[0], second=rows[1])


def _speech_of(clip: Video) -> Speech:
    reasons = ["it has no sound"]
    speech = Speech.from_video(clip, warn=reasons.append)
    if speech is not None and not speech.level:
        reasons.append("its sound is silent")
    if speech is None or not speech.level:
        raise InputError(f"cannot align {clip.info.name} by its speech: {reasons[-1]}; choose a clip with clear speech")
    return speech


def _frame_count(clip: Video) -> int:
    return clip.info.frame_count or sum(1 for _ in clip.frames())
