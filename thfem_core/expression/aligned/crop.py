"""Where NED and SSERD look: the square crop around a face."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from .similarity import SIDE

_MARGIN = 70 / 186  # of a face box's side, on both sides together
SMOOTHED = 49  # frames over which boxes are smoothed
# Where the box of NED's detector (MTCNN) lies around the 68 landmarks: left, top, right and bottom in parts of their
# width and height. Medians over 36 frames of 12 clips; 8 of 10 frames are within .05 of them.
_BOX = np.array([-0.014, -0.33, 0.997, 0.995])


def detector_boxes(landmarks: np.ndarray) -> np.ndarray:
    """Where NED's detector would find faces.

    Args:
        landmarks: The 68 points (N, 68, 2), NaN where there is no face.

    Returns:
        Boxes (x0, y0, x1, y1) (N, 4).
    """
    low, high = landmarks.min(axis=1), landmarks.max(axis=1)
    return np.tile(low, 2) + _BOX * np.tile(high - low, 2)


def smooth_boxes(boxes: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """Smooth face boxes over time, and make them square.

    Args:
        boxes: (x0, y0, x1, y1) per frame (N, 4), NaN where no face was found.
        before: Last smoothed box (4,) of the frames before, for faces missing from the start.

    Returns:
        Square boxes (N, 4) of the height of the face.
    """
    filled = boxes.copy()
    missing = np.isnan(filled[:, 0])
    found = np.flatnonzero(~missing)
    for frame in np.flatnonzero(missing):
        later = found[found > frame]
        if len(later):
            filled[frame] = boxes[later[0]]
        elif len(found):
            filled[frame] = boxes[found[-1]]
        elif before is not None:
            filled[frame] = before
    window = min(SMOOTHED, len(filled))
    window -= 1 - window % 2
    padded = np.pad(filled, ((window // 2, window // 2), (0, 0)), mode="symmetric")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, window, axis=0), axis=-1)
    width, height = smooth[:, 2] - smooth[:, 0], smooth[:, 3] - smooth[:, 1]
    x1 = smooth[:, 2] + (height - width) / 2
    return np.column_stack([x1 - height, smooth[:, 1], x1, smooth[:, 3]])


def crop_box(box: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """Add NED's margin to a square box and keep it inside the frame.

    Args:
        box: Square (x0, y0, x1, y1).
        width: Width of the frame in pixels.
        height: Height of the frame in pixels.

    Returns:
        Whole pixels (x0, y0, x1, y1), ends excluded; not square near a border.
    """
    half = _MARGIN * (box[3] - box[1]) / 2
    x0, y0 = (int(max(start - half, 0)) for start in box[:2])
    x1, y1 = int(min(box[2] + half, width)), int(min(box[3] + half, height))
    return x0, y0, x1, y1


def face_crop(frame: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Cut a box out of a frame, at 256 × 256.

    Args:
        frame: RGB (H, W, 3) uint8.
        box: Whole pixels (x0, y0, x1, y1) inside it.

    Returns:
        RGB (256, 256, 3) uint8, resized bilinearly with antialiasing.
    """
    x0, y0, x1, y1 = box
    cut = torch.from_numpy(np.ascontiguousarray(frame[y0:y1, x0:x1])).permute(2, 0, 1)[None]
    resized = F.interpolate(cut, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())
