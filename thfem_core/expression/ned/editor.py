"""The expression editor ``ned``: read a face's parameters, translate them, draw the face anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from ...face.tracking.track import FaceTrack
from ...media.array_video import ImageFolderVideo
from ...media.frame import Frame
from ..aligned.faces import AlignedFace, AlignedFaces, Segmentation, template_points
from ..aligned.similarity import SIDE, warped
from ..request import EMOTIONS, Emotion, ExpressionRequest, RegionStrengths
from .back_end import LabelOrder
from .conditions import DetailMaps, condition_pictures, eye_picture, eye_points, stacked_conditions
from .deca import Deca, FaceCode
from .deca_crop import deca_crop, deca_map, from_deca
from .flame import FlameModel, head_landmarks, head_vertices, projected
from .manipulator import LATENT, WINDOW, ExpressionTranslator, MappingNetwork, SequenceReader
from .renderer import FRAMES, FaceRenderer, RenderedClip
from .segmentation import FACE, SegmentationUNet
from .translation import TranslatedStream, reference_style

LABELS: dict[LabelOrder, tuple[Emotion, ...]] = {"ned": EMOTIONS, "alphabetical": tuple(sorted(EMOTIONS))}
_FOLDERS = ("nmfcs", "eyes", "shapes", "masks")


class Conditions(Protocol):
    """Makes the condition pictures of one face, frame by frame, with a delay."""

    def push(self, face: AlignedFace, index: int, strength: float) -> list[Tensor]:
        """Take the next frame's face; give the conditions (10, 256, 256) of frames that are ready, in order."""
        ...

    def finish(self) -> list[Tensor]:
        """Give the conditions of the frames that are left."""
        ...


class ConditionSource(Protocol):
    """Where condition pictures come from."""

    def open(self, request: ExpressionRequest, device: torch.device) -> Conditions:
        """Begin with one face."""
        ...


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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _ReadFace:
    """What was read from a frame, until its translation is known."""

    face: AlignedFace
    code: FaceCode
    to_deca: np.ndarray
    strength: float


class ConditionModel:
    """Condition pictures made by DECA, the manipulator and FLAME (a :class:`ConditionSource`)."""

    def __init__(
        self,
        translator: ExpressionTranslator,
        mapping: MappingNetwork,
        encoder: SequenceReader,
        *,
        deca: Deca,
        flame: tuple[FlameModel, DetailMaps],
        label_order: LabelOrder = "ned",
        seed: int = 0,
    ) -> None:
        """Put the models together.

        Args:
            translator: NED's generator.
            mapping: Styles from labels.
            encoder: Styles from reference clips.
            deca: Reads faces.
            flame: The head model and its detail maps.
            label_order: How the checkpoint numbers emotions.
            seed: Of the noise from which a label's style is drawn.
        """
        self.translator, self._mapping, self._encoder = translator, mapping, encoder
        self.deca, self.flame, self.maps = deca, *flame
        self._labels, self._seed = LABELS[label_order], seed

    def open(self, request: ExpressionRequest, device: torch.device) -> Conditions:
        """Begin with one face: choose the style of its expression.

        Args:
            request: An emotion, whose style is drawn by the seed, or a reference clip, whose style is read.
            device: Where the networks run; they are moved there.

        Returns:
            The condition pictures of the face, made frame by frame.
        """
        for network in (self.translator, self._mapping, self._encoder, self.deca):
            network.to(device)
        return _ModelConditions(self, self._style(request, device), device)

    @torch.inference_mode()
    def _style(self, request: ExpressionRequest, device: torch.device) -> Tensor:
        if request.reference is None:
            noise = torch.randn(1, LATENT, generator=torch.Generator().manual_seed(self._seed))
            style: Tensor = self._mapping(noise.to(device), self._labels.index(request.emotion or "neutral"))[0]
            return style
        rows = []
        if request.reference.track is not None:
            faces = AlignedFaces(request.reference.track)
            with closing(request.reference.video.frames()) as frames:
                for frame in frames:
                    face = faces.at(frame)
                    if face is not None:
                        rows.append(parameters(self.read(face, device)[0]).cpu())
        if not rows:
            raise InputError(f"no face can be read in the reference {request.reference.video.info.name}")
        return reference_style(self._encoder, torch.stack(rows).to(device))

    @torch.inference_mode()
    def read(self, face: AlignedFace, device: torch.device) -> tuple[FaceCode, np.ndarray]:
        """Read a face's parameters, and the map to DECA's picture they hold in."""
        to_deca = deca_map(face.landmarks)
        picture = torch.from_numpy(deca_crop(face.crop, to_deca)).permute(2, 0, 1)[None]
        return self.deca.encode(picture.to(device)), to_deca


def parameters(code: FaceCode) -> Tensor:
    """What the manipulator translates: jaw opening and expression of one face (51,)."""
    return torch.cat([code.pose[0, 3:4], code.expression[0]])


class _ModelConditions:
    """See :class:`Conditions`; a frame is ready when ten windows have covered it."""

    def __init__(self, model: ConditionModel, style: Tensor, device: torch.device) -> None:
        self._model, self._device = model, device
        self._stream = TranslatedStream(model.translator, style)
        self._waiting: deque[_ReadFace] = deque(maxlen=2 * WINDOW)

    @torch.inference_mode()
    def push(self, face: AlignedFace, index: int, strength: float) -> list[Tensor]:
        code, to_deca = self._model.read(face, self._device)
        self._waiting.append(_ReadFace(face=face, code=code, to_deca=to_deca, strength=min(strength, 1.5)))
        return [self._pictures(row) for row in self._stream.push(parameters(code))]

    @torch.inference_mode()
    def finish(self) -> list[Tensor]:
        return [self._pictures(row) for row in self._stream.finish()]

    def _pictures(self, translated: Tensor) -> Tensor:
        """Conditions (10, 256, 256) of the oldest waiting frame, its parameters replaced."""
        read = self._waiting.popleft()
        own = parameters(read.code)
        wanted = own + read.strength * (translated - own)
        pose = read.code.pose.clone()
        pose[0, 3] = wanted[0]
        code = replace(read.code, pose=pose, expression=wanted[None, 1:])
        flame, maps = self._model.flame.to(self._device), self._model.maps.to(self._device)
        vertices = head_vertices(flame, code.shape, code.expression, code.pose)
        seen = projected(vertices, code.camera)
        landmarks = projected(head_landmarks(flame, vertices, code.pose), code.camera)[0, :, :2]
        detail = self._model.deca.D_detail(code)[0, 0]
        drawn = condition_pictures(flame, vertices[0], seen[0], detail=detail, maps=maps)
        face = read.face
        nmfc, shape = (warped(from_deca(picture.cpu().numpy(), read.to_deca), face.to_template) for picture in drawn)
        eyes = template_points(face, eye_points(landmarks, read.to_deca, face.eyes).astype(np.float64))
        return stacked_conditions(nmfc, eye_picture(eyes), shape, face.aligned()[1])


class ConditionFolder:
    """Condition pictures from a folder (a :class:`ConditionSource`); the request's emotion is in them already."""

    def __init__(self, folder: Path) -> None:
        """Look into the folder.

        Args:
            folder: Has nmfcs/, eyes/, shapes/ and masks/, each with one picture per frame of the clip.

        Raises:
            InputError: A subfolder is missing, empty, or holds pictures of another size or number.
        """
        if missing := [name for name in _FOLDERS if not (folder / name).is_dir()]:
            raise InputError(f"{folder} has no folder {missing[0]}; condition pictures lie in {', '.join(_FOLDERS)}")
        self._videos = {name: ImageFolderVideo(folder / name) for name in _FOLDERS}
        facts = {name: video.info for name, video in self._videos.items()}
        if any((info.width, info.height) != (SIDE, SIDE) for info in facts.values()):
            raise InputError(f"the condition pictures in {folder} must be {SIDE}×{SIDE} pixels")
        if len({info.frame_count for info in facts.values()}) > 1:
            listed = ", ".join(f"{name} {info.frame_count}" for name, info in facts.items())
            raise InputError(f"{folder} holds different numbers of pictures ({listed}); give one of each per frame")

    def open(self, request: ExpressionRequest, device: torch.device) -> Conditions:
        """Begin with one face."""
        return _StoredConditions(self._videos)


class _StoredConditions:
    """See :class:`Conditions`; every frame is ready at once."""

    def __init__(self, videos: dict[str, ImageFolderVideo]) -> None:
        self._frames = zip(*(videos[name].frames() for name in _FOLDERS), strict=True)

    def push(self, face: AlignedFace, index: int, strength: float) -> list[Tensor]:
        for frames in self._frames:
            if frames[0].index == index:
                nmfc, eyes, shape, mask = (frame.rgb() for frame in frames)
                return [stacked_conditions(nmfc, eyes, shape, mask[..., 0] > 127)]
        raise InputError(f"there are no condition pictures of frame {index}; give one of each per frame of the clip")

    def finish(self) -> list[Tensor]:
        return []
