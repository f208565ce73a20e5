"""The shipped workflows: the UI file and its API twin are one graph, made of nodes and inputs that exist."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import pytest
from comfy_host import REPO

sys.path.append(str(REPO / "tests" / "tools"))
import make_workflows
from subgraph_blueprint import write_blueprint
from workflow_graph import Graph, plain

FOLDER = REPO / "workflows"
NAMES = tuple(make_workflows.TEMPLATES)
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
NOTES = {"Note", "MarkdownNote"}


@pytest.fixture(scope="module")
def known_nodes(node_definitions: dict[str, dict]) -> dict[str, dict]:
    return {**make_workflows.CORE, **plain(node_definitions)}


def load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def widget_names(definition: dict) -> list[str]:
    """Inputs that are widgets, in the order in which a workflow stores their values."""
    return [
        name
        for kind in ("required", "optional")
        for name, (type_, _) in definition["input"].get(kind, {}).items()
        if type_ in WIDGETS
    ]


def api_of(workflow: dict, definitions: dict[str, dict]) -> dict[str, dict]:
    """What the front end would send for a UI workflow."""
    links = {link[0]: link for link in workflow["links"]}
    graph = {}
    for node in workflow["nodes"]:
        if node["type"] in NOTES:
            continue
        names = widget_names(definitions[node["type"]])
        assert len(node["widgets_values"]) == len(names), node["type"]
        inputs = dict(zip(names, node["widgets_values"], strict=True))
        for socket in node["inputs"]:
            if socket.get("link") is not None:
                _, source, slot, target, target_slot, _ = links[socket["link"]]
                assert (target, node["inputs"][target_slot]["name"]) == (node["id"], socket["name"])
                inputs[socket["name"]] = [str(source), slot]
        graph[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return graph


def test_the_files_are_what_the_tool_makes_of_the_nodes_as_they_are(known_nodes, tmp_path):
    for name, build in make_workflows.TEMPLATES.items():
        graph = Graph(name, known_nodes)
        build(graph)
        graph.write(tmp_path / "workflows")
    for name, build_inside in make_workflows.BLUEPRINTS.items():
        inside = Graph(name, known_nodes)
        write_blueprint(tmp_path / "subgraphs" / f"{name}.json", inside, build_inside(inside))
    made = {path.relative_to(tmp_path): path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.json")}
    folders = (FOLDER, REPO / "subgraphs")
    shipped = {
        path.relative_to(REPO): path.read_text(encoding="utf-8") for each in folders for path in each.rglob("*.json")
    }
    assert made.keys() == shipped.keys()
    stale = [str(path) for path in made if json.loads(made[path]) != json.loads(shipped[path])]
    assert not stale, "run python tests/tools/make_workflows.py"


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_are_the_same_graph(name, known_nodes):
    api = load(FOLDER / "api" / f"{name}.json")
    bare = {key: {part: node[part] for part in ("class_type", "inputs")} for key, node in api.items()}
    assert api_of(load(FOLDER / f"{name}.json"), known_nodes) == bare


@pytest.mark.parametrize("name", NAMES)
def test_every_node_and_input_exists(name, known_nodes):
    for node in load(FOLDER / "api" / f"{name}.json").values():
        definition = known_nodes[node["class_type"]]
        required, optional = (definition["input"].get(kind, {}) for kind in ("required", "optional"))
        assert set(required) <= set(node["inputs"]) <= set(required) | set(optional)
        for key, value in node["inputs"].items():
            options = {**required, **optional}[key][1].get("options")
            assert options is None or value in options, f"{key}: {value}"


@pytest.mark.parametrize("name", NAMES)
def test_links_join_sockets_of_one_type(name, known_nodes):
    workflow = load(FOLDER / f"{name}.json")
    nodes = {node["id"]: node for node in workflow["nodes"]}
    assert max(nodes) == workflow["last_node_id"]
    assert max(link[0] for link in workflow["links"]) == workflow["last_link_id"]
    for number, source, slot, target, target_slot, kind in workflow["links"]:
        output = nodes[source]["outputs"][slot]
        assert number in output["links"] and output["type"] == kind
        assert nodes[target]["inputs"][target_slot]["link"] == number
        assert kind in nodes[target]["inputs"][target_slot]["type"].split(",")
        assert known_nodes[nodes[source]["type"]]["output"][slot] == kind


@pytest.mark.parametrize("name", NAMES)
def test_nodes_do_not_overlap(name):
    boxes = [(*node["pos"], *node["size"]) for node in load(FOLDER / f"{name}.json")["nodes"]]
    for number, (x, y, w, h) in enumerate(boxes):
        for other_x, other_y, other_w, other_h in boxes[:number]:
            # a node's title bar lies above its position
            apart = x + w <= other_x or other_x + other_w <= x or y + h <= other_y - 30 or other_y + other_h <= y - 30
            assert apart


@pytest.mark.parametrize("name", NAMES)
def test_the_thumbnail_is_a_picture(name):
    picture = cv2.imread(str(FOLDER / f"{name}.jpg"))
    assert picture is not None and min(picture.shape[:2]) >= 200
