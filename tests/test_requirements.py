"""What is imported is named in the requirements, and what is named there is imported."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPO = Path(__file__).resolve().parents[1]
OURS = {"thfem_core", "nodes", "training", "benchmarks"}
HOST = {"comfy", "comfy_api", "comfy_execution", "folder_paths"}  # part of ComfyUI; only nodes may use them
# One-off tools that made the embedded files and a cluster's scheduler: their own help says what to install.
SELDOM = {"skimage", "scikit-image", "pocketsphinx", "ai-edge-litert", "flatbuffers", "ray"}
DISTRIBUTIONS = packages_distributions()


def normal(name: str) -> str:
    """Spell the name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named_in(*lines: str) -> set[str]:
    """Return the distributions that requirement lines name."""
    names = (re.match(r"[A-Za-z0-9][\w.-]*", line.strip()) for line in lines)
    return {normal(name[0]) for name in names if name}


def requirements(path: str) -> set[str]:
    return named_in(*(REPO / path).read_text(encoding="utf-8").splitlines())


def extras() -> set[str]:
    """Return what pyproject.toml names for optional features."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return named_in(*(line for lines in project["optional-dependencies"].values() for line in lines))


def imported_by(folder: str) -> dict[str, str]:
    """Return the distributions that a folder imports from, each with a file that does."""
    found: dict[str, str] = {}
    for path in sorted((REPO / folder).rglob("*.py")):
        siblings = {other.stem for other in path.parent.glob("*.py")}  # scripts import what lies beside them
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules = [node.module]
            for module in {module.partition(".")[0] for module in modules}:
                if module not in sys.stdlib_module_names | OURS | siblings:
                    names = DISTRIBUTIONS.get(module, [module])
                    found.setdefault(normal(names[0]), str(path.relative_to(REPO)))
    return found


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("thfem_core", requirements("requirements.txt") | extras()),
        ("nodes", requirements("requirements.txt") | {normal(name) for name in HOST}),
        ("training", requirements("requirements.txt") | requirements("training/requirements.txt") | SELDOM),
        (
            "benchmarks",
            requirements("requirements.txt")
            | requirements("training/requirements.txt")
            | requirements("benchmarks/requirements.txt"),
        ),
    ],
)
def test_imports_are_named(folder: str, allowed: set[str]) -> None:
    unnamed = {name: path for name, path in imported_by(folder).items() if name not in allowed}
    assert not unnamed, f"add to a requirements file, or do without: {unnamed}"


def test_nothing_is_named_that_nothing_imports() -> None:
    assert requirements("requirements.txt") <= imported_by("thfem_core").keys() | imported_by("nodes").keys()
    assert requirements("training/requirements.txt") <= imported_by("training").keys() | {
        "tensorboard"
    }  # of accelerate
