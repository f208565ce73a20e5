"""Back ends: what a folder declares is what front ends ask for, and nothing else is imported."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from thfem_core.errors import InputError
from thfem_core.options import Option, Options, make_options, option, options_of
from thfem_core.registry import Registry, Resources


@dataclass(frozen=True, kw_only=True, slots=True)
class ToyOptions(Options):
    gain: float = option(1.0, help="How much.", minimum=0.0, maximum=2.0)
    steps: int | None = option(None, help="How often.", minimum=1)
    mode: Literal["fast", "exact"] = option("fast", help="Which way.", advanced=True)
    notes: Path | None = option(None, help="A file.")
    other: str | Path | None = option(None, help="A clip.", clip=True)


def test_options_are_read_from_the_dataclass():
    assert options_of(ToyOptions) == (
        Option(name="gain", kind="float", default=1.0, help="How much.", minimum=0.0, maximum=2.0),
        Option(name="steps", kind="int", default=None, help="How often.", minimum=1),
        Option(name="mode", kind="choice", default="fast", help="Which way.", choices=("fast", "exact"), advanced=True),
        Option(name="notes", kind="file", default=None, help="A file."),
        Option(name="other", kind="clip", default=None, help="A clip."),
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gain": 3.0}, "gain is 3; give a value between 0 and 2"),
        ({"gain": float("nan")}, "gain is nan; give a value between 0 and 2"),
        ({"steps": 0}, "steps is 0; give a value between 1 and any"),
        ({"mode": "slow"}, "mode is 'slow'; choose one of: fast, exact"),
        ({"speed": 1}, "the editor toy has no option speed; it has: gain, steps, mode, notes, other"),
    ],
)
def test_values_that_are_not_allowed_are_named_with_the_fix(given, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        make_options(ToyOptions, given, back_end="editor toy")


def test_a_field_without_help_is_a_mistake_of_the_author():
    @dataclass(frozen=True, kw_only=True, slots=True)
    class Silent(Options):
        gain: float = 1.0

    with pytest.raises(TypeError, match=r"Silent.gain must be declared"):
        options_of(Silent)


@pytest.fixture
def toys(tmp_path, monkeypatch) -> Registry:
    """A registry with one back end in a folder of its own."""
    folder = tmp_path / "toy_back_end"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "back_end.py").write_text(
        "from dataclasses import dataclass\n"
        "from thfem_core.options import Options, option\n"
        "from thfem_core.registry import BackEnd\n"
        "@dataclass(frozen=True, kw_only=True, slots=True)\n"
        "class ToyOptions(Options):\n"
        "    gain: float = option(1.0, help='How much.', maximum=2.0)\n"
        "BACK_END = BackEnd(summary='A toy.', factory='network:load', options=ToyOptions)\n"
    )
    (folder / "network.py").write_text("def load(options, resources):\n    return options.gain, resources.folders\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry: Registry = Registry("toy", package=__name__)
    registry.register("small", "toy_back_end")
    yield registry
    for name in [name for name in sys.modules if name.startswith("toy_back_end")]:
        del sys.modules[name]


def test_a_back_end_is_described_without_importing_its_network(toys):
    assert toys.names() == ("small",)
    assert toys.back_end("small").summary == "A toy."
    assert "toy_back_end.network" not in sys.modules


def test_a_back_end_is_created_with_options_and_resources(toys):
    folders = (Path("models"),)
    assert toys.create("small", {"gain": 0.5}, Resources(folders=folders)) == (0.5, folders)
    assert toys.create("small") == (1.0, ())
    with pytest.raises(InputError, match="gain is 3"):
        toys.create("small", {"gain": 3.0})
    with pytest.raises(TypeError, match="takes ToyOptions"):
        toys.create("small", Options())


def test_unknown_and_taken_names_are_refused(toys):
    with pytest.raises(InputError, match="unknown toy 'big'; choose one of: small"):
        toys.create("big")
    with pytest.raises(ValueError, match="registered already"):
        toys.register("small", "elsewhere")
