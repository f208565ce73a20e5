"""Graphs in the form that /prompt takes."""

from __future__ import annotations

from typing import Any


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    """One node; an input that is a link is ``[node id, output slot]``."""
    return {"class_type": class_type, "inputs": inputs}


EDIT = {
    "emotion": "surprised",
    "strength": 1.0,
    "face": "largest",
    "brows": 1.0,
    "eyes": 1.0,
    "cheeks": 1.0,
    "mouth": 1.0,
    "curve": "0:1",
    "editor": "mesh",
}
"""The widgets of Edit Tracked Faces."""
