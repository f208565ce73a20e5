"""A picture that shows which face has which number."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from itertools import count, pairwise
from math import ceil, sqrt

import cv2
import numpy as np

from ..errors import InputError
from ..media.video import Video
from .tracking.track import FaceOrder, FaceTrack, FaceTracks

_MAX_TILES = 12
_LOOKS_PER_SHOT = 8
_CHOSEN, _OTHER, _INK = (64, 220, 96), (255, 200, 40), (20, 20, 20)


def face_numbers(tracks: FaceTracks, order: FaceOrder) -> dict[int, int]:
    """Number the faces of a clip as users choose them.

    Args:
        tracks: Everybody in the clip.
        order: What the numbers follow.

    Returns:
        track_id → number; faces seen too shortly to be counted are left out.
    """
    numbers: dict[int, int] = {}
    with suppress(InputError):  # the first number that does not exist
        for number in count():
            numbers |= {track.track_id: number for track in tracks.select(number, order=order)}
    return numbers


def numbered_preview(
    video: Video,
    tracks: FaceTracks,
    *,
    order: FaceOrder = "left-right",
    chosen: Sequence[FaceTrack] | None = None,
    max_side: int = 1280,
) -> np.ndarray:
    """Draw a sheet that shows which face has which number.

    Args:
        video: The clip, read once.
        tracks: Everybody in it.
        order: What the numbers follow.
        chosen: Faces to be outlined in green with a thick line, or None to treat all alike.
        max_side: Largest width and height, pixels.

    Returns:
        uint8 RGB: of each shot (at most 12, those with most faces) the frame that shows most of them; without any
        face the middle frame.
    """
    numbers = face_numbers(tracks, order)
    counted = [t for t in tracks.tracks if t.track_id in numbers]
    best = [_best_frame(range(a, b), counted) for a, b in pairwise((0, *tracks.cuts, tracks.frame_count))]
    best = sorted(sorted((b for b in best if b[0] > 0), reverse=True)[:_MAX_TILES], key=lambda b: b[1])
    shown = [frame for _, frame in best] or [tracks.frame_count // 2]
    columns = ceil(sqrt(len(shown) * tracks.size[1] / tracks.size[0]))
    columns = min(max(columns, 1), len(shown))
    rows = ceil(len(shown) / columns)
    width, height = tracks.size
    scale = min(max_side / (columns * width), max_side / (rows * height), 1.0)
    tile = max(1, int(width * scale)), max(1, int(height * scale))
    sheet = np.zeros((rows * tile[1], columns * tile[0], 3), np.uint8)
    chosen_ids = None if chosen is None else {track.track_id for track in chosen}
    with closing(video.frames()) as frames:
        for frame in frames:
            if frame.index not in shown:
                continue
            picture = np.ascontiguousarray(frame.thumbnail(*tile))
            for track in counted:
                _draw(picture, track, frame.index, numbers[track.track_id], tile[0] / width, chosen_ids)
            row, column = divmod(shown.index(frame.index), columns)
            sheet[row * tile[1] : (row + 1) * tile[1], column * tile[0] : (column + 1) * tile[0]] = picture
            if frame.index == shown[-1]:
                break
    return sheet


def _best_frame(shot: range, tracks: Sequence[FaceTrack]) -> tuple[float, int]:
    """The frame of a shot with the most faces, the clearest first, as (faces + clarity, frame)."""
    in_shot = [t for t in tracks if t.first_frame < shot.stop and t.stop_frame > shot.start]
    best = (0.0, shot.start)
    if not in_shot:
        return best
    for frame in np.linspace(shot.start, shot.stop - 1, min(_LOOKS_PER_SHOT + 2, len(shot))).astype(int).tolist():
        samples = [t.samples(frame, frame + 1) for t in in_shot]
        seen = sum(not np.isnan(s.landmarks[0, 0, 0]) for s in samples)
        clarity = sum(float(s.weight[0]) for s in samples) / (len(in_shot) + 1)
        best = max(best, (seen + clarity, frame), key=lambda b: b[0])
    return best


def _draw(
    picture: np.ndarray, track: FaceTrack, frame: int, number: int, scale: float, chosen_ids: set[int] | None
) -> None:
    points = track.samples(frame, frame + 1).landmarks[0, :, :2] * scale
    if np.isnan(points[0, 0]):
        return
    chosen = chosen_ids is None or track.track_id in chosen_ids
    colour = _CHOSEN if chosen else _OTHER
    side = max(float(np.ptp(points[:, 1])), 1.0)
    thickness = max(2, round(side / 60)) * (2 if chosen and chosen_ids is not None else 1)
    hull = cv2.convexHull(np.rint(points).astype(np.int32))
    cv2.polylines(picture, [hull], True, _INK, thickness + 2, cv2.LINE_AA)
    cv2.polylines(picture, [hull], True, colour, thickness, cv2.LINE_AA)
    _badge(picture, str(number), (float(points[:, 0].mean()), float(points[:, 1].min())), side, colour)


def _badge(
    picture: np.ndarray, text: str, above: tuple[float, float], side: float, colour: tuple[int, int, int]
) -> None:
    """A disc with the number on the upper edge of the face, moved into the picture where it would leave it."""
    height, width = picture.shape[:2]
    radius = min(max(16.0, side * 0.16), min(width, height) / 4)
    x = min(max(above[0], radius + 1), width - radius - 1)
    y = min(max(above[1] - radius * 0.6, radius + 1), height - radius - 1)
    cv2.circle(picture, (round(x), round(y)), round(radius), colour, -1, cv2.LINE_AA)
    cv2.circle(picture, (round(x), round(y)), round(radius), _INK, max(1, round(radius / 12)), cv2.LINE_AA)
    font, thick = cv2.FONT_HERSHEY_SIMPLEX, max(2, round(radius / 7))
    (w, h), _ = cv2.getTextSize(text, font, 1.0, 1)
    size = min(1.1 * radius / h, 1.4 * radius / w)
    (w, h), _ = cv2.getTextSize(text, font, size, thick)
    cv2.putText(picture, text, (round(x - w / 2), round(y + h / 2)), font, size, _INK, thick, cv2.LINE_AA)
