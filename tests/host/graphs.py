"""Graphs in the form that /prompt takes."""

from __future__ import annotations

from typing import Any


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    """One node; an input that is a link is ``[node id, output slot]``."""
    return {"class_type": class_type, "inputs": inputs}
