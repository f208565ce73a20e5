"""What the expression editor ``valence-arousal`` declares of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...options import option
from ...registry import BackEnd
from ..mesh.back_end import BACK_END as MESH
from ..mesh.back_end import MeshOptions


@dataclass(frozen=True, kw_only=True, slots=True)
class ValenceArousalOptions(MeshOptions):
    """Options of the valence-arousal editor, besides those of the mesh editor that draws for it."""

    valence: float = option(
        0.0, help="How pleasant the face looks: -1 (unpleasant) to 1 (pleasant).", minimum=-1.0, maximum=1.0
    )
    arousal: float = option(
        0.0, help="How excited the face looks: -1 (sleepy) to 1 (excited).", minimum=-1.0, maximum=1.0
    )
    map: Path | None = option(
        None,
        help="A person's map, made by `python -m training.build_emotion_map`; without it the mesh editor's presets.",
        advanced=True,
    )


BACK_END = BackEnd(
    summary="Any place between the emotions, by valence and arousal; drawn by the mesh editor.",
    factory="editor:ValenceArousalEditor",
    options=ValenceArousalOptions,
    permissive=MESH.permissive,
    brings_expression=True,
    models=MESH.models,
)
