"""One face under several expressions, in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Literal

import cv2
import numpy as np

from ..errors import InputError
from ..expression.request import EMOTIONS, MAX_STRENGTH, ExpressionRequest
from ..media.frame import Box
from .config import EditConfig
from .preview import ClipPreview, PreviewedFrame

Sheet = Literal["emotions", "strengths"]
TILE = 320  # pixels, width and height of the largest tile
MARGIN = 0.25  # of the face's size, on each side
TITLE = 30  # pixels, height of the bar with the title
STRENGTHS = tuple(round(MAX_STRENGTH * step / 5, 2) for step in range(1, 6))


def sheet_configs(config: EditConfig, sheet: Sheet) -> dict[str, EditConfig]:
    """Vary an edit.

    Args:
        config: The edit.
        sheet: ``emotions`` for all seven at its strength, ``strengths`` for five strengths of its expression.

    Returns:
        Title → edit.

    Raises:
        InputError: The edit leaves the expression as it is.
    """
    request = config.request
    if request is None:
        raise InputError("a contact sheet needs an expression; give an emotion, a reference, sliders or a preset")
    if sheet == "strengths":
        return {f"{each:g}": replace(config, request=replace(request, strength=each)) for each in STRENGTHS}
    plain = ExpressionRequest(
        emotion="neutral", strength=request.strength, regions=request.regions, curve=request.curve
    )
    return {name: replace(config, request=replace(plain, emotion=name)) for name in EMOTIONS}


def contact_sheet(preview: ClipPreview, index: int, configs: Mapping[str, EditConfig]) -> np.ndarray:
    """Edit one frame in several ways and show the face of each beside the source's.

    Args:
        preview: The clip.
        index: Number of the frame.
        configs: Title → edit.

    Returns:
        uint8 RGB (H, W, 3): tiles in two rows, the source first.

    Raises:
        InputError: See :meth:`.preview.ClipPreview.edit`.
    """
    results = {name: preview.edit(index, config) for name, config in configs.items()}
    shown = next(iter(results.values()))
    box = face_box(shown.faces, shown)
    pictures = {"source": shown.source} | {name: result.edited for name, result in results.items()}
    tiles = [_tile(picture[box.y0 : box.y1, box.x0 : box.x1], name) for name, picture in pictures.items()]
    columns = ceil(len(tiles) / 2)
    tiles += [np.full_like(tiles[0], 255)] * (2 * columns - len(tiles))
    return np.vstack([np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)])


def face_box(faces: Sequence[np.ndarray], frame: PreviewedFrame) -> Box:
    """The part of a frame that shows some faces, with a margin; all of it where there are none.

    Args:
        faces: (478, 3) landmarks each, in pixels.
        frame: The frame.

    Returns:
        A box inside the frame.
    """
    height, width = frame.source.shape[:2]
    if not faces:
        return Box(0, 0, width, height)
    points = np.concatenate(faces)[:, :2]
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    margin = MARGIN * max(x1 - x0, y1 - y0)
    return Box(int(x0 - margin), int(y0 - margin), int(x1 + margin), int(y1 + margin)).clipped(width, height)


def _tile(rgb: np.ndarray, title: str) -> np.ndarray:
    height, width = rgb.shape[:2]
    scale = TILE / max(height, width)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    tile = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    bar = np.full((TITLE, size[0], 3), 32, np.uint8)
    cv2.putText(bar, title, (10, TITLE - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.65, (255, 255, 255), 1, cv2.LINE_AA)
    tile = np.vstack([bar, tile])
    return cv2.copyMakeBorder(tile, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255))
