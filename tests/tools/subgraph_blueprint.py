"""Writes a graph as a subgraph blueprint, which the front end lists among the nodes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow_graph import WIDGETS, Graph

INPUT_NODE, OUTPUT_NODE = -10, -20  # ids of the two ends of every subgraph


@dataclass(frozen=True, kw_only=True)
class Ports:
    """What a subgraph shows outside.

    inputs: Name → the inputs inside that it feeds, as (node, input name); widgets inside are widgets outside.
    outputs: Name → (node, output slot).
    """

    inputs: Mapping[str, Sequence[tuple[int, str]]]
    outputs: Mapping[str, tuple[int, int]]


def write_blueprint(path: Path, graph: Graph, ports: Ports) -> None:
    """Write a blueprint that holds a graph as one node."""
    inside = graph.front_end_form()
    nodes = {node["id"]: node for node in inside["nodes"]}
    links = [
        {"id": link, "origin_id": a, "origin_slot": i, "target_id": b, "target_slot": j, "type": kind}
        for link, a, i, b, j, kind in inside["links"]
    ]

    def connect(origin: int, origin_slot: int, target: int, target_slot: int, kind: str) -> int:
        number = len(links) + 1
        links.append(
            {
                "id": number,
                "origin_id": origin,
                "origin_slot": origin_slot,
                "target_id": target,
                "target_slot": target_slot,
                "type": kind,
            }
        )
        return number

    inputs, values = [], []
    for slot, (name, targets) in enumerate(ports.inputs.items()):
        numbers, kind = [], ""
        for node, wanted in targets:
            place, socket = next(
                (place, each) for place, each in enumerate(nodes[node]["inputs"]) if each["name"] == wanted
            )
            kind = kind or socket["type"]
            socket["link"] = connect(INPUT_NODE, slot, node, place, kind)
            numbers.append(socket["link"])
        inputs.append(_port(path.stem, name, kind, numbers, x=-200, y=20 * slot))
        if kind in WIDGETS:
            node, wanted = targets[0]
            widgets = [each["name"] for each in nodes[node]["inputs"] if "widget" in each]
            values.append((name, nodes[node]["widgets_values"][widgets.index(wanted)]))
    outputs = []
    for slot, (name, (node, output)) in enumerate(ports.outputs.items()):
        socket = nodes[node]["outputs"][output]
        number = connect(node, output, OUTPUT_NODE, slot, socket["type"])
        socket["links"] = [*(socket["links"] or []), number]
        outputs.append(_port(path.stem, name, socket["type"], [number], x=1300, y=20 * slot))

    identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"thfem.subgraph.{path.stem}"))
    subgraph = {
        "id": identity,
        "version": 1,
        "state": {"lastGroupId": 0, "lastNodeId": len(nodes), "lastLinkId": len(links), "lastRerouteId": 0},
        "revision": 0,
        "config": {},
        "name": path.stem,
        "inputNode": {"id": INPUT_NODE, "bounding": [-300, 0, 120, 40 + 20 * len(inputs)]},
        "outputNode": {"id": OUTPUT_NODE, "bounding": [1300, 0, 120, 40 + 20 * len(outputs)]},
        "inputs": inputs,
        "outputs": outputs,
        "widgets": [],
        "nodes": list(nodes.values()),
        "groups": [],
        "links": links,
        "extra": {},
    }
    outside = {
        "id": 1,
        "type": identity,
        "pos": [0, 0],
        "size": [340, 160],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [
            {"name": each["name"], "type": each["type"], "link": None}
            | ({"widget": {"name": each["name"]}} if each["type"] in WIDGETS else {})
            for each in inputs
        ],
        "outputs": [{"name": each["name"], "type": each["type"], "links": None} for each in outputs],
        "title": path.stem,
        "properties": {"proxyWidgets": [["-1", name] for name, _ in values]},
        "widgets_values": [value for _, value in values],
    }
    form = {
        "revision": 0,
        "last_node_id": 1,
        "last_link_id": 0,
        "nodes": [outside],
        "links": [],
        "version": 0.4,
        "definitions": {"subgraphs": [subgraph]},
        "extra": {},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(form, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _port(blueprint: str, name: str, kind: str, links: Sequence[int], *, x: int, y: int) -> dict[str, Any]:
    identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"thfem.subgraph.{blueprint}.{name}.{x}"))
    return {"id": identity, "name": name, "type": kind, "linkIds": list(links), "pos": [x, y]}
