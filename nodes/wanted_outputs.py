"""Which outputs of a node are connected, so that costly ones are made only for somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from .notices import server


def running_graph() -> Mapping[str, Any] | None:
    """The graph that the host is executing, in the form of its API; None where the host does not say."""
    running = getattr(getattr(server(), "prompt_queue", None), "currently_running", None)
    for item in list(running.values()) if isinstance(running, dict) else []:
        graph = item[2] if len(item) > 2 else None
        if isinstance(graph, Mapping):
            return graph
    return None


def wanted_outputs(node: type[io.ComfyNode], count: int) -> frozenset[int]:
    """Say which outputs of a node somebody takes.

    Args:
        node: The node, whose schema asks for its own id (``io.Hidden.unique_id``).
        count: How many outputs it has.

    Returns:
        Their numbers; all of them where the host does not say what is connected.
    """
    graph, node_id = running_graph(), getattr(node.hidden, "unique_id", None)
    if graph is None or node_id is None:
        return frozenset(range(count))
    links = [
        value
        for node in graph.values()
        for value in node.get("inputs", {}).values()
        if isinstance(value, list) and len(value) == 2
    ]
    return frozenset(slot for source, slot in links if str(source) == str(node_id))
