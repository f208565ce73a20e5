"""The model file of occlusion."""

from __future__ import annotations

from ...weights.model import embedded

MODELS = (
    embedded(
        "occlusion",
        "what is in front of a face",
        744608,
        "6a4572309aa8fb1f52c2b529cbd647a68149dd5ef26679cc391c6298f567c867",
        licence="CC BY-NC 4.0",
        commercial=False,
        link="MODEL_CARD.md of the package",
        note="edits work without it: --occlusion off, or a mask of your own",
    ),
)
