"""The model file of occlusion."""

from __future__ import annotations

from ...weights.model import embedded

MODELS = (
    embedded(
        "occlusion",
        "what is in front of a face",
        522240,
        "e969790266d4bfb135f95a794d987c6cd968285fa0237d1c391d8bda6d0695fc",
        licence="CC BY-NC 4.0",
        commercial=False,
        link="MODEL_CARD.md of the package",
        note="edits work without it: --occlusion off, or a mask of your own",
    ),
)
