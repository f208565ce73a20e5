"""The sockets of this pack and what travels on them.

THFEM_TRACK carries a :class:`TrackedFaces`, THFEM_POSE an :class:`EncodedPoses`, THFEM_SPEECH a
:class:`..thfem_core.audio.speech.Speech`, THFEM_FRAME_MAP a :class:`..thfem_core.alignment.frame_map.FrameMap`,
THFEM_SLIDERS :class:`..thfem_core.expression.sliders.ExpressionSliders`, THFEM_EXPRESSION an
:class:`..thfem_core.expression.request.ExpressionRequest`, THFEM_EDITOR a :class:`ChosenEditor`: small,
immutable, safe for the host to cache. THFEM_TALKING_HEAD carries a :class:`LoadedTalkingHead`, whose networks the host
moves and frees, as those of a :class:`LoadedEditor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from comfy_api.latest import io

from ..thfem_core.expression.editor import ExpressionEditor
from ..thfem_core.face.tracking.track import FaceOrder, FaceTracks
from ..thfem_core.pose.encoder import HeadPoses
from ..thfem_core.talking_head.head import TalkingHead

Track = io.Custom("THFEM_TRACK")
Pose = io.Custom("THFEM_POSE")
SpeechSocket = io.Custom("THFEM_SPEECH")
FrameMapSocket = io.Custom("THFEM_FRAME_MAP")
TalkingHeadSocket = io.Custom("THFEM_TALKING_HEAD")
EditorSocket = io.Custom("THFEM_EDITOR")
SlidersSocket = io.Custom("THFEM_SLIDERS")
ExpressionSocket = io.Custom("THFEM_EXPRESSION")
HostLandmarks = io.Custom("FACE_LANDMARKS")  # of the host's own MediaPipe nodes, where it has them


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedFaces:
    """Everybody in a clip, and the order that gives each face the number of the preview picture."""

    tracks: FaceTracks
    order: FaceOrder


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedPoses:
    """Head poses of everybody in ``tracks``."""

    tracks: FaceTracks
    poses: tuple[HeadPoses, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedEditor:
    """An expression editor and where it draws; ``patcher`` as of :class:`LoadedTalkingHead`."""

    name: str
    editor: ExpressionEditor
    device: torch.device
    patcher: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenEditor:
    """An expression editor by name, and its options that differ from their defaults; one with large networks is loaded
    already."""

    name: str
    options: Mapping[str, Any]
    loaded: LoadedEditor | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedTalkingHead:
    """A talking head and where it draws. patcher: the host's handle on its networks, which must be asked to bring them
    to ``device`` before; None where the head looks after itself."""

    name: str
    head: TalkingHead
    device: torch.device
    patcher: Any = None
