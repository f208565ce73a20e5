"""Clips that are pictures already: an image batch in memory, or a folder of image files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from ..errors import InputError
from .array_frame import ArrayFrame
from .picture_file import PICTURE_SUFFIXES, read_image
from .sound import Sound
from .source import CLIP_SUFFIXES
from .timing import frame_time
from .video import SourceFile, VideoInfo


def _check_rate(frame_rate: Fraction) -> Fraction:
    if not 0 < frame_rate <= 1000:
        raise InputError(f"the frame rate is {float(frame_rate):g}; give frames per second above 0, such as 25")
    return Fraction(frame_rate)


class ArrayVideo:
    """A :class:`.video.Video` over a batch of images in memory, which is neither copied nor changed.

    Args:
        images: (T, H, W, 3 or 4), float in 0..1 or uint8, tensor or array; a fourth channel is ignored.
        frame_rate: frames per second.
        name: what messages call it.
        sound: the sound that belongs to it, if any; its sample 0 is heard when frame 0 is seen.

    Raises:
        InputError: the shape is another one, or the rate is not above 0.
    """

    source: SourceFile | None = None

    def __init__(
        self,
        images: torch.Tensor | np.ndarray,
        frame_rate: Fraction,
        name: str = "images",
        sound: Sound | None = None,
    ) -> None:
        if images.ndim != 4 or images.shape[-1] not in (3, 4):
            raise InputError(f"{name} has shape {tuple(images.shape)}; give a batch (frames, height, width, 3)")
        if not all(images.shape):
            raise InputError(f"{name} has no pixels (shape {tuple(images.shape)}); give at least one image")
        self.images = images
        self._sound = sound
        count, height, width = images.shape[:3]
        rate = _check_rate(frame_rate)
        self._info = VideoInfo(
            name=name,
            width=width,
            height=height,
            frame_rate=rate,
            frame_count=count,
            duration=count / rate,
            has_sound=sound is not None and sound.samples.shape[1] > 0,
            is_still=count == 1,
        )

    @property
    def info(self) -> VideoInfo:
        return self._info

    def frames(self, *, warn: Callable[[str], None] | None = None) -> Generator[ArrayFrame, None, None]:
        for index in range(len(self.images)):
            yield self.frame(index)

    def frame(self, index: int) -> ArrayFrame:
        """The frame of a number."""
        image = self.images[index]
        pixels = image.detach().cpu().numpy() if isinstance(image, torch.Tensor) else image
        if pixels.dtype != np.uint8:
            pixels = pixels.astype(np.float32, copy=False)
        return ArrayFrame(index=index, time=frame_time(index, self._info.frame_rate), pixels=pixels[..., :3])

    def sound_blocks(self, *, warn: Callable[[str], None] | None = None) -> Generator[Sound, None, None]:
        if self._sound is not None:
            yield from self._sound.blocks()


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """Sort key by which frame2 comes before frame10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"([0-9]+)", path.name.lower())]


class ImageFolderVideo:
    """A :class:`.video.Video` over the image files of a folder, in natural order of their names, or over one image.

    Args:
        path: a folder or an image file.
        frame_rate: frames per second.

    Raises:
        InputError: there is no image, or the rate is not above 0.
    """

    source: SourceFile | None = None

    def __init__(self, path: str | os.PathLike[str], frame_rate: Fraction = Fraction(25)) -> None:
        path = Path(path)
        if path.is_dir():
            files = [file for file in path.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES and file.is_file()]
            self._files = sorted(files, key=_natural)
            clips = [file.name for file in path.iterdir() if file.suffix.lower() in CLIP_SUFFIXES]
            if clips and len(files) < 2:
                raise InputError(
                    f"the folder {path} holds clips; give one, such as {min(clips)}, or edit all with batch"
                )
        else:
            self._files = [path]
        if not self._files:
            raise InputError(f"the folder {path} has no images; put {', '.join(PICTURE_SUFFIXES[:3])} files there")
        height, width = read_image(self._files[0]).shape[:2]
        rate = _check_rate(frame_rate)
        self._info = VideoInfo(
            name=path.name,
            width=width,
            height=height,
            frame_rate=rate,
            frame_count=len(self._files),
            duration=len(self._files) / rate,
            has_sound=False,
            is_still=len(self._files) == 1,
        )

    @property
    def info(self) -> VideoInfo:
        return self._info

    def frames(self, *, warn: Callable[[str], None] | None = None) -> Generator[ArrayFrame, None, None]:
        expected = (self._info.height, self._info.width)
        for index, file in enumerate(self._files):
            pixels = read_image(file)
            if pixels.shape[:2] != expected:
                raise InputError(
                    f"{file.name} is {pixels.shape[1]}x{pixels.shape[0]} but {self._files[0].name} is "
                    f"{expected[1]}x{expected[0]}; all images must have one size"
                )
            yield ArrayFrame(index=index, time=frame_time(index, self._info.frame_rate), pixels=pixels)

    def sound_blocks(self, *, warn: Callable[[str], None] | None = None) -> Generator[Sound, None, None]:
        yield from ()
