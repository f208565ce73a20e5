"""The model file of occlusion."""

from __future__ import annotations

from ...weights.model import embedded

MODELS = (
    embedded(
        "occlusion",
        "what is in front of a face",
        744624,
        "8c3ac25be12dfa5cff269d8c5a7aa00d8170ea737aec5ead43c9606db42c943c",
        licence="CC BY-NC 4.0",
        commercial=False,
        link="MODEL_CARD.md of the package",
        note="edits work without it: --occlusion off, or a mask of your own",
    ),
)
