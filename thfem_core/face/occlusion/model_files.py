"""The model file of occlusion."""

from __future__ import annotations

from ...weights.model import embedded

MODELS = (
    embedded(
        "occlusion",
        "what is in front of a face",
        522672,
        "6080fbf458be06e88e693da531d29bd27853b717219f095b06a01e7f12770682",
        licence="CC BY-NC 4.0",
        commercial=False,
        link="MODEL_CARD.md of the package",
        note="edits work without it: --occlusion off, or a mask of your own",
    ),
)
