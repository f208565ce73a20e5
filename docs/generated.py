"""A mkdocs hook: fills ``<!-- generated: NAME ARGUMENT -->`` in pages from registries, commands and imports.

So option tables, model tables and the map of packages cannot differ from the code.
"""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from thfem_core.catalogue import all_models  # noqa: E402
from thfem_core.cli.main import build_parser  # noqa: E402
from thfem_core.expression.editor import editors  # noqa: E402
from thfem_core.metrics.catalogue import LANDMARK_MEASURES, LOUDNESS_MEASURES, TRUTH_MEASURES  # noqa: E402
from thfem_core.metrics.judges.spec import judge_spec, judges  # noqa: E402
from thfem_core.metrics.measure import ARROWS, Measure  # noqa: E402
from thfem_core.options import Option, options_of  # noqa: E402
from thfem_core.registry import Registry  # noqa: E402
from thfem_core.talking_head.head import talking_heads  # noqa: E402

REGISTRIES: dict[str, Registry[Any]] = {"editors": editors, "talking-heads": talking_heads}
_MARKER = re.compile(r"<!-- generated: ([\w-]+) ?([\w-]*) -->")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace every marker of a page; an unknown one fails the build with a KeyError."""
    return _MARKER.sub(lambda found: GENERATORS[found[1]](found[2]), markdown)


def back_ends(kind: str) -> str:
    """A section per back end of a registry: what it is, its options, its model files."""
    parts = []
    for name in REGISTRIES[kind]:
        back_end = REGISTRIES[kind].back_end(name)
        parts += [f"### `{name}` {{ #{kind}-{name} }}", back_end.summary]
        options = options_of(back_end.options)
        if options:
            parts.append(table(("flag", "default", "values", "meaning"), map(_option_row, options)))
        if back_end.models:
            parts.append(f"Model files: {', '.join(f'`{model.name}`' for model in back_end.models)}.")
    return "\n\n".join(parts)


def _option_row(option: Option) -> tuple[str, ...]:
    flag = f"--{option.flag}"
    if option.kind == "bool":
        flag += f"`, `--no-{option.flag}"
    if option.choices:
        values = ", ".join(f"`{choice}`" for choice in option.choices)
    elif option.minimum is None and option.maximum is None:
        values = {"bool": "yes or no", "file": "a file", "clip": "a clip"}.get(option.kind, option.kind)
    else:
        low, high = ("" if bound is None else f"{bound:g}" for bound in (option.minimum, option.maximum))
        values = f"{low} to {high}" if low and high else f"{low} or more" if low else f"up to {high}"
    default = "–" if option.default is None else f"`{option.default}`"
    return f"`{flag}`", default, values, option.help + (" *(advanced)*" if option.advanced else "")


def models(_: str) -> str:
    """All model files with their terms."""
    use = {True: "yes", False: "**no**", None: "unclear"}
    origin = {"embedded": "in the package", "hub": "`models fetch`", "web": "`models fetch`", "manual": "by hand"}
    rows = (
        (f"`{m.name}`", m.purpose, origin[m.origin], m.licence or "unknown", use[m.commercial])
        for m in all_models().values()
    )
    return table(("name", "for", "how to get it", "licence of the weights", "commercial use"), rows)


def measures(group: str) -> str:
    """Measures of one kind: ``mesh``, ``sound`` or ``truth``."""
    chosen = {"mesh": LANDMARK_MEASURES, "sound": LOUDNESS_MEASURES, "truth": TRUTH_MEASURES}[group]
    return _measure_table(chosen)


def all_judges(_: str) -> str:
    """A section per judge: what it is, what it measures."""
    parts = []
    for name in judges:
        spec = judge_spec(name)
        kind = "a network of the papers" if spec.official else "offline stand-in"
        needs = [f"`models list {model.name}`" for model in spec.models if model.origin != "embedded"]
        needs += [f"package `{package}`" for package in spec.packages]
        facts = f"{spec.summary[0].upper()}{spec.summary[1:]} ({kind}; {', '.join(needs) or 'comes with the package'})."
        parts += [f"### {spec.title} (`{name}`)", facts, _measure_table(spec.measures)]
    return "\n\n".join(parts)


def _measure_table(chosen: Sequence[Measure]) -> str:
    rows = ((f"`{m.key}`", f"{ARROWS[m.better]} {m.label}", m.ranges() or "–", m.meaning) for m in chosen)
    return table(("key in JSON", "name in tables", "ranges", "meaning"), rows)


def usage(command: str) -> str:
    """The help text of a command."""
    os.environ["COLUMNS"] = "100"
    parser = build_parser()
    (commands,) = (action for action in parser._actions if action.dest == "command")
    text = commands.choices[command].format_help()  # type: ignore[index, union-attr]
    return f"```text\n{text.strip()}\n```"


def node_pages(_: str) -> str:
    """The help page of every node, in English."""
    pages = sorted((REPO / "nodes" / "web" / "docs").glob("*/en.md"))
    texts = (re.sub(r"!\[[^]]*\]\(picture\.jpg\)\n+", "", page.read_text(encoding="utf-8")) for page in pages)
    return "\n\n".join(re.sub(r"^#", "###", text, flags=re.M).strip() for text in texts)


def workflows(_: str) -> str:
    """The workflow templates by the first line of their notes."""
    rows = []
    for path in sorted((REPO / "workflows").glob("*.json")):
        nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"]
        note = next(node["widgets_values"][0] for node in nodes if node["type"] == "MarkdownNote")
        rows.append((f"`{path.stem}`", note.splitlines()[0].lstrip("# ")))
    return table(("template", "shows"), rows)


def imports(_: str) -> str:
    """The packages of the library and who imports whom, as a picture; lines that longer ways imply are left out."""
    graph = {name: _imported_packages(name) for name in _packages()}
    height = {name: _height(name, graph) for name in graph}
    rows = [[name for name in graph if height[name] == level] for level in range(max(height.values()), -1, -1)]
    centre = {
        name: (380 + (place - (len(row) - 1) / 2) * 170, 30 + 64 * number)
        for number, row in enumerate(rows)
        for place, name in enumerate(row)
    }
    parts = [
        f'<svg viewBox="0 0 760 {64 * len(rows)}" role="img" aria-label="who imports whom" style="max-width:760px">'
    ]
    for name, imported in graph.items():
        further = {far for near in imported for far in _reachable(near, graph)}
        for other in imported - further:
            (x0, y0), (x1, y1) = centre[name], centre[other]
            parts.append(f'<path d="M{x0:g} {y0 + 15:g}L{x1:g} {y1 - 15:g}" stroke="currentColor" opacity=".5"/>')
    for name, (x, y) in centre.items():
        box = f'x="{x - 65:g}" y="{y - 15:g}" width="130" height="30" rx="5"'
        parts.append(f'<rect {box} fill="var(--md-default-bg-color, white)" stroke="currentColor"/>')
        parts.append(f'<text x="{x:g}" y="{y + 5:g}" text-anchor="middle" fill="currentColor">{name}</text>')
    return "".join([*parts, "</svg>"])


def _height(name: str, graph: dict[str, set[str]]) -> int:
    """Steps of the longest way down from a package."""
    return max((1 + _height(other, graph) for other in graph[name]), default=0)


def _packages() -> list[str]:
    return sorted(path.parent.name for path in (REPO / "thfem_core").glob("*/__init__.py"))


def _imported_packages(name: str) -> set[str]:
    """Packages of the library that a package imports, at any place, other than for type hints only."""
    found: set[str] = set()
    for path in (REPO / "thfem_core" / name).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        hints = {id(node) for block in ast.walk(tree) if _is_type_checking(block) for node in ast.walk(block)}
        depth = len(path.relative_to(REPO / "thfem_core").parts)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level == depth and id(node) not in hints and node.module:
                found.add(node.module.split(".")[0])
    return found & set(_packages()) - {name}


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    """Packages that one imports directly or through others."""
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines)


GENERATORS: dict[str, Callable[[str], str]] = {
    "back-ends": back_ends,
    "imports": imports,
    "judges": all_judges,
    "measures": measures,
    "models": models,
    "node-pages": node_pages,
    "usage": usage,
    "workflows": workflows,
}
