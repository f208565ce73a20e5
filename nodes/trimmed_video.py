"""A part of a video file as VIDEO, for hosts that have no trimmed videos of their own (before 0.9)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch
from comfy_api.latest import InputImpl, Types

from ..thfem_core.media.sound import join_sound
from .video_sockets import audio_from_sound, file_clip


class TrimmedVideo(InputImpl.VideoFromFile):
    """``duration`` seconds of a file (0: to the end) from ``start`` on.

    Nodes of this pack stream the part; core nodes get it decoded, as they would a whole file.
    """

    def __init__(self, file: str, *, start: float, duration: float) -> None:
        super().__init__(file)
        self._clip = file_clip(file, start, duration)
        self._window = (start, duration)

    def get_active_trim_window(self) -> tuple[float, float]:
        return self._window

    def get_components(self) -> Types.VideoComponents:
        frames = [torch.from_numpy(frame.rgb()).float().div(255) for frame in self._clip.frames()]
        return Types.VideoComponents(
            images=torch.stack(frames),
            audio=audio_from_sound(join_sound(self._clip.sound_blocks())),
            frame_rate=self.get_frame_rate(),
        )

    def save_to(self, path: Any, **options: Any) -> None:
        InputImpl.VideoFromComponents(self.get_components()).save_to(path, **options)

    def get_dimensions(self) -> tuple[int, int]:
        return self._clip.info.width, self._clip.info.height

    def get_frame_rate(self) -> Fraction:
        return self._clip.info.frame_rate

    def get_frame_count(self) -> int:
        count = self._clip.info.frame_count
        return sum(1 for _ in self._clip.frames()) if count is None else count

    def get_duration(self) -> float:
        return float(self.get_frame_count() / self.get_frame_rate())
