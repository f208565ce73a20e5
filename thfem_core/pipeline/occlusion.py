"""Keeping in front what is in front of a face, through all stages of an edit."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch

from ..device import one_cpu_thread
from ..errors import InputError
from ..face.occlusion.clip import ClipOcclusion
from ..face.occlusion.sources import MaskVideo, NetworkOcclusion, OcclusionSource
from ..face.tracking.track import FaceTrack
from ..media.frame import Frame
from ..media.video import Video

# auto: as the embedded network sees it. off: edits go over everything. A clip or picture: a mask of the user's.
Occlusion: TypeAlias = Literal["auto", "off"] | Video

ASPECT_TOLERANCE = 0.02  # a mask of another size is rounded to whole pixels


def check_occlusion(occlusion: Occlusion) -> None:
    """Check how occlusion is to be handled.

    Args:
        occlusion: Should be one of the words of :data:`Occlusion`, or a clip.

    Raises:
        InputError: It is another word.
    """
    if isinstance(occlusion, str) and occlusion not in ("auto", "off"):
        raise InputError(f"occlusion is {occlusion!r}; give auto, off, or a mask video or picture")


def check_mask(video: Video, occlusion: Occlusion) -> list[str]:
    """Check that a mask of the user's belongs to the clip.

    Args:
        video: The clip.
        occlusion: How occlusion is handled.

    Returns:
        One line for the user if the mask goes on after the clip, else nothing.

    Raises:
        InputError: The mask has another shape.
    """
    if isinstance(occlusion, str):
        return []
    mask, clip = occlusion.info, video.info
    if abs(mask.width * clip.height - mask.height * clip.width) > ASPECT_TOLERANCE * mask.height * clip.width:
        raise InputError(
            f"the occlusion mask {mask.name} is {mask.width}x{mask.height} and the clip {clip.width}x{clip.height}; "
            "give a mask of the clip's shape (any size)"
        )
    if not mask.is_still and mask.frame_count and clip.frame_count and mask.frame_count > clip.frame_count:
        return [f"the occlusion mask has {mask.frame_count} frames, the clip {clip.frame_count}: the rest is not used"]
    return []


def prepare_occlusion(
    video: Video, tracks: Sequence[FaceTrack], occlusion: Occlusion, *, device: torch.device
) -> ClipOcclusion | None:
    """Load what says where faces of a clip are covered.

    Args:
        video: The clip.
        tracks: Its faces that are edited.
        occlusion: How.
        device: Where the network runs.

    Returns:
        What the stages of an edit share for one pass over the clip; None where nobody asks.

    Raises:
        WeightsError: The network's file is missing or damaged.
    """
    if occlusion == "off" or not tracks:
        return None
    source: OcclusionSource = NetworkOcclusion(device) if isinstance(occlusion, str) else MaskVideo(occlusion)
    return ClipOcclusion(source, tracks, video.info.frame_rate)


@dataclass(frozen=True, kw_only=True, slots=True)
class LookStage:
    """Looks at frames before they are edited.

    occlusion: Remembers what is seen.
    needs_faces: Frames without a face pass through.
    """

    occlusion: ClipOcclusion
    needs_faces: bool = True

    def __call__(self, frames: Generator[Frame, None, None]) -> Generator[Frame, None, None]:
        with closing(frames), closing(self.occlusion), one_cpu_thread():
            yield from self.occlusion.look_through(frames)


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreStage:
    """Gives edited frames back what is in front of faces.

    occlusion: Knows it.
    needs_faces: Frames without a face pass through.
    """

    occlusion: ClipOcclusion
    needs_faces: bool = True

    def __call__(self, frames: Generator[Frame, None, None]) -> Generator[Frame, None, None]:
        with closing(frames):
            for frame in frames:
                restored = self.occlusion.restore(frame)
                self.occlusion.forget(frame)
                yield restored


def occlusion_masks(
    video: Video, tracks: Sequence[FaceTrack], occlusion: Occlusion = "auto", *, device: torch.device
) -> Generator[np.ndarray, None, None]:
    """Draw what is in front of faces of a clip, for hosts and other tools.

    Args:
        video: The clip.
        tracks: Its faces, see :func:`.faces.find_faces` and :func:`.faces.choose_faces`.
        occlusion: How it is found; ``off`` finds nothing.
        device: Where the network runs.

    Yields:
        One mask (H, W) float32 per frame: 1 where an edit keeps the source because something is in front of a face, or
        because a part of the face is mostly covered.

    Raises:
        InputError: ``occlusion`` is an unknown word, or a mask that ends too early.
        WeightsError: The network's file is missing or damaged.
    """
    check_occlusion(occlusion)
    seen = prepare_occlusion(video, tracks, occlusion, device=device)
    with closing(video.frames()) as frames:
        if seen is None:
            for frame in frames:
                yield np.zeros((frame.height, frame.width), np.float32)
            return
        for frame in LookStage(occlusion=seen)(frames):
            yield seen.masks(frame)
            seen.forget(frame)
