"""Whether LivePortrait's files work on this machine: faces drawn as they are, compared with the frames."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction
from math import log10

import numpy as np
import torch

from ...face.crop import crop_frame
from ...face.tracking.track import FaceTrack
from ...media.frame import Frame
from ...networks.liveportrait.crop import CropPath, crop_picture
from ...networks.liveportrait.drawing import FaceDrawer

# Decibels of a drawn face against the frame. With the right files LivePortrait draws a known face well; random or
# foreign weights draw noise.
GOOD, POOR = 26.0, 18.0


def render_identity(drawer: FaceDrawer, frames: Sequence[Frame], track: FaceTrack) -> str:
    """Draw the face of each frame with its own keypoints.

    Args:
        drawer: Reads and draws.
        frames: Frames of a clip at 25 frames per second.
        track: The face in them.

    Returns:
        Likeness in decibels (PSNR), seconds per frame, and a verdict.
    """
    crops = CropPath(track, frame_rate=Fraction(25))
    pictures, native = [], []
    for frame in frames:
        picture, crop = crop_picture(frame, crops, drawer.side), crops.at(frame.index)
        if picture is not None and crop is not None:
            pictures.append(picture)
            native.append(crop_frame(frame, crop, 2 * drawer.side).astype(np.float64) / 255)
    start = time.perf_counter()
    points = drawer.read(pictures).keypoints()
    read = time.perf_counter()
    (drawn,) = drawer.draw(pictures, points, [points])
    done = time.perf_counter()
    error = float(np.mean((drawn - np.stack(native)) ** 2))
    likeness = -10 * log10(max(error, 1e-10))
    if not torch.isfinite(points).all() or not np.isfinite(drawn).all():
        verdict = "WRONG: values are not finite; with precision fp32 this should not be, so get the files again"
    elif likeness >= GOOD:
        verdict = "good: the files work"
    elif likeness >= POOR:
        verdict = f"POOR: {GOOD:.0f} dB or more are expected; compare `models check liveportrait`"
    else:
        verdict = "WRONG: these files do not draw people; run `models check liveportrait` and fetch them again"
    count = len(pictures)
    return (
        f"self-test: {count} faces drawn as they are, {likeness:.1f} dB like the frames; per face "
        f"{(read - start) / count:.3f} s to read, {(done - read) / count:.3f} s to draw on {drawer.device}; {verdict}"
    )
