"""The expression editor ``ned``: read a face's parameters, translate them, draw the face anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from ...face.tracking.track import FaceTrack
from ...media.frame import Frame
from ..aligned.faces import AlignedFace, AlignedFaces, Segmentation
from ..request import ExpressionRequest, RegionStrengths
from .condition_sources import Conditions, ConditionSource
from .renderer import FRAMES, FaceRenderer, RenderedClip
from .segmentation import FACE, SegmentationUNet


class NedEditor:
    """Implements :class:`..editor.ExpressionEditor`; holds some ten frames at a time."""

    needs_faces = True

    def __init__(
        self, renderer: FaceRenderer, source: ConditionSource, *, segmentation: SegmentationUNet | None = None
    ) -> None:
        """Put NED together.

        Args:
            renderer: The renderer of the person in the clip.
            source: Where condition pictures come from.
            segmentation: Tells face from hair; None takes the outline of the face mesh.
        """
        self._renderer, self._source, self._segmentation = renderer, source, segmentation

    def edit(
        self,
        frames: Generator[Frame, None, None],
        tracks: Sequence[FaceTrack],
        request: ExpressionRequest,
        *,
        frame_rate: Fraction,
        device: torch.device,
    ) -> Generator[Frame, None, None]:
        """See :class:`..editor.ExpressionEditor`. Strength lies between the source's and the translated parameters.

        Raises:
            InputError: The request asks for regions, which NED does not know.
        """
        if request.regions != RegionStrengths():
            raise InputError("NED edits the face as a whole; leave brows, eyes, cheeks and mouth at 1")
        renderer = self._renderer.to(device)
        for track in tracks:
            frames = self._edit_one(frames, track, request, renderer, device)
        with closing(frames):
            yield from frames

    def _edit_one(
        self,
        frames: Generator[Frame, None, None],
        track: FaceTrack,
        request: ExpressionRequest,
        renderer: FaceRenderer,
        device: torch.device,
    ) -> Generator[Frame, None, None]:
        """The frames with one person edited. An absence of the person starts a new sequence."""
        faces = AlignedFaces(track, None if self._segmentation is None else self._segment(self._segmentation, device))
        sequence: _Sequence | None = None
        with closing(frames):
            for frame in frames:
                strength = request.strength * request.curve.at(float(frame.time))
                face = faces.at(frame) if strength > 0 else None
                if face is None:
                    if sequence is not None:
                        yield from sequence.finish()
                        sequence = None
                    yield frame
                    continue
                if sequence is None:
                    sequence = _Sequence(self._source.open(request, device), renderer, device)
                yield from sequence.push(frame, face, strength)
        if sequence is not None:
            yield from sequence.finish()

    def _segment(self, network: SegmentationUNet, device: torch.device) -> Segmentation:
        network = network.to(device)

        @torch.inference_mode()
        def face_pixels(crop: np.ndarray) -> np.ndarray:
            picture = torch.from_numpy(crop).to(device).permute(2, 0, 1)[None].float() / 255
            pixels: np.ndarray = (network(picture).argmax(dim=1)[0] == FACE).cpu().numpy()
            return pixels

        return face_pixels


class _Sequence:
    """Consecutive frames in which a face is seen, waiting for their conditions."""

    def __init__(self, conditions: Conditions, renderer: FaceRenderer, device: torch.device) -> None:
        self._conditions, self._device = conditions, device
        self._drawing = RenderedClip(renderer)
        self._waiting: deque[tuple[Frame, AlignedFace]] = deque()
        self._started = False

    def push(self, frame: Frame, face: AlignedFace, strength: float) -> Iterator[Frame]:
        self._waiting.append((frame, face))
        yield from self._drawn(self._conditions.push(face, frame.index, strength))

    def finish(self) -> Iterator[Frame]:
        yield from self._drawn(self._conditions.finish())

    def _drawn(self, ready: Sequence[Tensor]) -> Iterator[Frame]:
        for condition in ready:
            condition = condition.to(self._device)
            if not self._started:  # NED leaves out the first two frames; here the first stands for what was before it
                self._started = True
                for _ in range(FRAMES - 1):
                    self._drawing.draw(condition)
            drawn = self._drawing.draw(condition)
            frame, face = self._waiting.popleft()
            if drawn is None:
                raise RuntimeError("the renderer was not started")
            pixels = ((drawn + 1) / 2 * 255).clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
            yield face.pasted(frame, pixels)
