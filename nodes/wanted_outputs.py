"""Which outputs of a node are connected, so that costly ones are made only for somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from .notices import server


def wanted_outputs(node: type[io.ComfyNode], count: int) -> frozenset[int]:
    """Say which outputs of a node that is executed somebody takes.

    Args:
        node: The node, whose schema asks for its own id (``io.Hidden.unique_id``).
        count: How many outputs it has.

    Returns:
        Their numbers; all of them where the host does not say what is connected.
    """
    graph, node_id = _running_graph(), getattr(node.hidden, "unique_id", None)
    if graph is None or node_id is None:
        return frozenset(range(count))
    return frozenset(slot for source, slot in _links(graph) if source == str(node_id))


def connections(node: type[io.ComfyNode]) -> str:
    """Describe what is connected to a node, for ``fingerprint_inputs``: an output connected later has to be made later.

    Args:
        node: The node; where the host does not tell it its id, as older ones do not here, all nodes of its kind count.

    Returns:
        A text that changes with the connections.
    """
    graph, node_id = _running_graph() or {}, getattr(node.hidden, "unique_id", None)
    kind = node.define_schema().node_id
    alike = {str(name) for name, each in graph.items() if each.get("class_type") == kind}
    sources = alike if node_id is None else {str(node_id)}
    return str(sorted({(source, slot) for source, slot in _links(graph) if source in sources and slot}))


def _running_graph() -> Mapping[str, Any] | None:
    """The graph that the host is executing, in the form of its API; None where the host does not say."""
    running = getattr(getattr(server(), "prompt_queue", None), "currently_running", None)
    for item in list(running.values()) if isinstance(running, dict) else []:
        graph = item[2] if len(item) > 2 else None
        if isinstance(graph, Mapping):
            return graph
    return None


def _links(graph: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Node and output that each connected input of a graph takes."""
    values = [value for node in graph.values() for value in node.get("inputs", {}).values()]
    return [(str(value[0]), value[1]) for value in values if isinstance(value, list) and len(value) == 2]
