"""Where NED's condition pictures come from: made by DECA, the manipulator and FLAME, or read from a folder."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from ...media.array_video import ImageFolderVideo
from ..aligned.faces import AlignedFace, AlignedFaces, template_points
from ..aligned.similarity import SIDE, warped
from ..request import EMOTIONS, Emotion, ExpressionRequest
from .back_end import LabelOrder
from .conditions import DetailMaps, condition_pictures, eye_picture, eye_points, stacked_conditions
from .deca import Deca, FaceCode
from .deca_crop import deca_crop, deca_map, from_deca
from .flame import FlameModel, head_landmarks, head_vertices, projected
from .manipulator import LATENT, WINDOW, ExpressionTranslator, MappingNetwork, SequenceReader
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
        edited = own + read.strength * (translated - own)
        pose = read.code.pose.clone()
        pose[0, 3] = edited[0]
        code = replace(read.code, pose=pose, expression=edited[None, 1:])
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
