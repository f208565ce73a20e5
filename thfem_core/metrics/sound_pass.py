"""What is heard of two clips: loudness and sync experts against the lips that were seen."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

import numpy as np

from ..audio.speech import Speech
from ..errors import InputError
from ..media.video import Video
from ..progress import Progress
from .clip_sync import clip_sync
from .judges.protocol import SeenFace, SyncExpert
from .landmark_pair import LandmarkPair
from .loudness import MAX_LAG, loudness, loudness_sync
from .pairing import FramePairs
from .sync import SyncScore


class SoundPass:
    """Measures of source's and output's sound, which is read when asked for.

    notes: Why something is missing, one line each.
    """

    def __init__(self, source: Video, output: Video, landmarks: LandmarkPair) -> None:
        self._source, self._output, self._landmarks = source, output, landmarks
        self._speeches: dict[int, Speech | None] = {}
        self.notes: list[str] = []

    def sync(self, expert: SyncExpert, progress: Progress) -> tuple[SyncScore | None, SyncScore | None]:
        """Scores of source and output by one expert; None, and a note that says why, where one cannot be taken."""
        return self._clip_sync(expert, 0, progress), self._clip_sync(expert, 1, progress)

    def loudness(self, side: int, aperture: np.ndarray) -> dict[str, float]:
        """Measures, by key, of how lip opening (T,) and loudness of source (0) or output (1) go together.

        Empty without sound or for a very short clip.
        """
        speech, rate = self._speech(side), self._output.info.frame_rate
        if speech is None or len(aperture) <= 2 * MAX_LAG + 2:
            return {}
        found = loudness_sync(aperture, loudness(speech, len(aperture), rate))
        lag = float(found.lag) if np.isfinite(found.best) else float("nan")
        return {"loudness_r": found.best, "loudness_lag": lag}

    def _speech(self, side: int) -> Speech | None:
        """The sound of source (0) or output (1); None, and a note, where there is none."""
        if side not in self._speeches:
            clip = (self._source, self._output)[side]
            self._speeches[side] = Speech.from_video(clip, warn=self._note_once)
            if self._speeches[side] is None:
                self._note_once(f"{clip.info.name} has no sound; lips and sound were not compared")
        return self._speeches[side]

    def _clip_sync(self, expert: SyncExpert, side: int, progress: Progress) -> SyncScore | None:
        clip, speech = (self._source, self._output)[side], self._speech(side)
        if speech is None:
            return None
        count, rate = self._landmarks.count, self._output.info.frame_rate

        def faces() -> Generator[SeenFace]:
            with closing(iter(FramePairs(self._source, self._output))) as pairs:
                for number, (pair, points) in enumerate(zip(pairs, self._landmarks.side(side), strict=False)):
                    progress("Lips and sound", number + 1, count)
                    yield pair[side], points

        try:
            with closing(faces()) as seen:
                return clip_sync(seen, speech, expert, frames=count, frame_rate=rate)
        except InputError as reason:
            self._note_once(f"{clip.info.name}: {reason}")
            return None

    def _note_once(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)
