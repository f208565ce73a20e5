"""Builds the two forms of a ComfyUI workflow, the front end's and the API's, from the definitions of its nodes.

Convention: positions and sizes are the front end's graph units, (x, y) of a node is the corner below its title bar.
"""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
TITLE_BAR, SLOT, WIDGET, BORDER = 30, 20, 28, 16
WINDOW, TOP_BAR, SIDE_BAR = (1600, 1000), 60, 60  # pixels of a common browser window, and what covers its edges
NOTES = Path(__file__).with_name("notes")
COLOURS = {"input": "#3f789e", "work": "#b58b2a", "help": "#8A8", "output": "#3f789e", "verdict": "#a1309b"}


class Graph:
    """A workflow under construction. ``words`` holds Chinese for the English text of notes and groups."""

    def __init__(self, name: str, definitions: Mapping[str, Any]) -> None:
        self.name = name
        self.words: dict[str, str] = {"How to use": "使用说明"}
        self._definitions = definitions
        self._nodes: list[dict[str, Any]] = []
        self._links: list[list[Any]] = []
        self._groups: list[dict[str, Any]] = []
        self._reroutes: list[dict[str, Any]] = []
        self._last_reroute: dict[int, int] = {}  # link → the last reroute before its target
        self._api: dict[str, Any] = {}
        self._extra: dict[str, Any] = {}

    def add(
        self,
        type_: str,
        position: tuple[int, int],
        *,
        width: int = 340,
        preview: int = 0,
        links: Mapping[str, Sequence[Any]] | None = None,
        properties: Mapping[str, Any] | None = None,
        **values: Any,
    ) -> int:
        """Add a node.

        Args:
            type_: Its class.
            position: (x, y).
            width: Of the node.
            preview: Height of the picture or video that it shows.
            links: Input name → (node, output slot), or (node, output slot, points) for a link that passes by points.
            properties: More properties of the node, such as models the host may offer to download.
            values: Values of widgets that differ from their defaults.

        Returns:
            The node's id.
        """
        definition = self._definitions[type_]
        declared = [
            (name, kind, options, group == "optional")
            for group in ("required", "optional")
            for name, (kind, options) in definition["input"].get(group, {}).items()
        ]
        sockets = [each for each in declared if each[1] not in WIDGETS]
        widgets = [each for each in declared if each[1] in WIDGETS]
        unknown = set(values) - {name for name, *_ in widgets}
        assert not unknown, f"{type_} has no {unknown}"
        inputs = [
            {"name": name, "type": kind, "link": None, **({"shape": 7} if optional else {})}
            for name, kind, _, optional in sockets
        ]
        inputs += [{"name": name, "type": kind, "widget": {"name": name}, "link": None} for name, kind, *_ in widgets]
        chosen = {name: values.get(name, default_of(options)) for name, _, options, _ in widgets}
        outputs = [
            {"name": name, "type": kind, "links": None}
            for name, kind in zip(definition["output_name"], definition["output"], strict=True)
        ]
        upload = any(key.endswith("_upload") for _, _, options, _ in widgets for key in options)
        height = BORDER + SLOT * max(len(sockets), len(outputs)) + WIDGET * (len(widgets) + upload) + preview
        number = len(self._nodes) + 1
        self._nodes.append(
            {
                "id": number,
                "type": type_,
                "pos": list(position),
                "size": [width, height],
                "flags": {},
                "order": number - 1,
                "mode": 0,
                "inputs": inputs,
                "outputs": outputs,
                "properties": {"Node name for S&R": type_, **(properties or {})},
                "widgets_values": list(chosen.values()),
            }
        )
        self._api[str(number)] = {
            "class_type": type_,
            "inputs": dict(chosen),
            "_meta": {"title": definition["display_name"]},
        }
        for name, (source, slot, *points) in (links or {}).items():
            self._link(source, slot, number, name, points[0] if points else ())
        return number

    def _link(self, source: int, slot: int, target: int, name: str, points: Sequence[tuple[int, int]]) -> None:
        output = self._nodes[source - 1]["outputs"][slot]
        inputs = self._nodes[target - 1]["inputs"]
        (place,) = (place for place, each in enumerate(inputs) if each["name"] == name)
        number = len(self._links) + 1
        self._links.append([number, source, slot, target, place, output["type"]])
        inputs[place]["link"] = number
        output["links"] = [*(output["links"] or []), number]
        self._api[str(target)]["inputs"][name] = [str(source), slot]
        parent = None
        for point in points:
            reroute = {"id": len(self._reroutes) + 1, "pos": list(point), "linkIds": [number]}
            self._reroutes.append(reroute if parent is None else {**reroute, "parentId": parent})
            parent = reroute["id"]
        if parent is not None:
            self._last_reroute[number] = parent

    def note(self, position: tuple[int, int], size: tuple[int, int], name: str) -> None:
        """Add a note of ``notes/``, by name."""
        number = len(self._nodes) + 1
        english = notes("en")[name]
        self.words[english] = notes("zh")[name]
        self._nodes.append(
            {
                "id": number,
                "type": "MarkdownNote",
                "pos": list(position),
                "size": list(size),
                "flags": {},
                "order": number - 1,
                "mode": 0,
                "inputs": [],
                "outputs": [],
                "title": "How to use",
                "properties": {},
                "widgets_values": [english],
                "color": "#432",
                "bgcolor": "#653",
            }
        )

    def group(self, title: str, colour: str, *nodes: int) -> None:
        """Draw a frame around nodes; its title has a Chinese one in ``notes/groups.zh.json``."""
        boxes = [self._box(self._nodes[node - 1]) for node in nodes]
        left, top = min(box[0] for box in boxes) - 15, min(box[1] for box in boxes) - 45
        right, bottom = max(box[2] for box in boxes) + 15, max(box[3] for box in boxes) + 15
        self.words[title] = json.loads((NOTES / "groups.zh.json").read_text(encoding="utf-8"))[title]
        self._groups.append(
            {
                "id": len(self._groups) + 1,
                "title": title,
                "bounding": [left, top, right - left, bottom - top],
                "color": COLOURS[colour],
                "font_size": 24,
                "flags": {},
            }
        )

    def app(self, inputs: Sequence[tuple[int, str]], output: int) -> None:
        """Open as an app that asks for these widgets and shows what one node shows."""
        self._extra |= {
            "linearMode": True,
            "linearData": {"inputs": [list(each) for each in inputs], "outputs": [output]},
        }

    @staticmethod
    def _box(node: Mapping[str, Any]) -> tuple[float, float, float, float]:
        (x, y), (width, height) = node["pos"], node["size"]
        return x, y - TITLE_BAR, x + width, y + height

    def _view(self) -> dict[str, Any]:
        """The zoom and offset at which all nodes, or their upper left corner at 70 %, are in the window."""
        boxes = [self._box(node) for node in self._nodes]
        boxes += [(x, y, x + w, y + h) for x, y, w, h in (group["bounding"] for group in self._groups)]
        left, top = min(box[0] for box in boxes) - 20, min(box[1] for box in boxes) - 20
        width, height = max(box[2] for box in boxes) + 20 - left, max(box[3] for box in boxes) + 20 - top
        scale = min((WINDOW[0] - SIDE_BAR) / width, (WINDOW[1] - 2 * TOP_BAR) / height, 1.0)
        scale = max(0.7, round(scale - 0.005, 2))
        return {"scale": scale, "offset": [SIDE_BAR / scale - left, 2 * TOP_BAR / scale - top]}

    def front_end_form(self) -> dict[str, Any]:
        """As the front end loads it."""
        extra: dict[str, Any] = {"ds": self._view(), "thfem_words": {"zh": self.words}, **self._extra}
        if self._reroutes:
            extra["reroutes"] = self._reroutes
            extra["linkExtensions"] = [{"id": link, "parentId": last} for link, last in self._last_reroute.items()]
        return {
            "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"thfem.{self.name}")),
            "revision": 0,
            "last_node_id": len(self._nodes),
            "last_link_id": len(self._links),
            "nodes": self._nodes,
            "links": self._links,
            "groups": self._groups,
            "config": {},
            "extra": extra,
            "version": 0.4,
        }

    def write(self, folder: Path) -> None:
        """Write ``NAME.json`` for the front end and ``api/NAME.json``, which can be sent to ``/prompt``."""
        forms = {folder / f"{self.name}.json": self.front_end_form(), folder / "api" / f"{self.name}.json": self._api}
        for path, form in forms.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(form, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def notes(language: str) -> dict[str, str]:
    """The notes in Markdown by name, from ``notes/LANGUAGE.md``, where each follows a comment with its name."""
    parts = re.split(r"<!-- (\w+) -->\n", (NOTES / f"{language}.md").read_text(encoding="utf-8"))
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def plain(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Definitions as hosts without dynamic inputs and drawn curves have them: what is shipped loads in all hosts."""
    found = copy.deepcopy(dict(definitions))
    for definition in found.values():
        for group in ("required", "optional"):
            inputs = definition["input"].get(group, {})
            for name, (kind, options) in list(inputs.items()):
                if kind == "CURVE":
                    del inputs[name]
                elif kind == "COMFY_DYNAMICCOMBO_V3":
                    inputs[name] = ("COMBO", {**options, "options": [each["key"] for each in options["options"]]})
    return found


def default_of(options: Mapping[str, Any]) -> Any:
    """A widget's default as a workflow stores it."""
    if "default" in options:
        return options["default"]
    choices = options.get("options") or [""]
    return choices[0]
