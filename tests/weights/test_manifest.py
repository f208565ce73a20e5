"""The table of models is complete and consistent."""

from __future__ import annotations

from pathlib import Path

import pytest

from thfem_core.weights.checksum import fault_of
from thfem_core.weights.convert import converters
from thfem_core.weights.manifest import MODELS
from thfem_core.weights.model import Model, ModelFile
from thfem_core.weights.store import EMBEDDED_FOLDER


def test_names_are_unique():
    assert len({model.name for model in MODELS}) == len(MODELS)


EMBEDDED_FILES = [(model, file) for model in MODELS if model.origin == "embedded" for file in model.files]


def test_every_embedded_file_is_listed():
    listed = {name for _, file in EMBEDDED_FILES for name in file.names}
    assert {path.name for path in EMBEDDED_FOLDER.glob("*.safetensors")} <= listed


@pytest.mark.parametrize(
    ("model", "file"), EMBEDDED_FILES, ids=lambda value: value.name if isinstance(value, Model) else value.role
)
def test_embedded_files_are_the_listed_ones(model, file):
    path = EMBEDDED_FOLDER / file.names[0]
    assert fault_of(path, size=file.size, sha256=file.sha256) is None, "after retraining, update the manifest"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_entries_say_where_a_person_finds_them_and_name_their_files(model: Model):
    assert model.link
    for file in model.files:
        assert file.accepted
        assert all(Path(name).name == name for name in file.accepted)
        assert file.sha256 is None or set(file.sha256) <= set("0123456789abcdef")
        assert file.converted is None or model.name in converters.names()
    assert len({file.role for file in model.files}) == len(model.files)


def test_contradictions_are_refused():
    facts = {"name": "x", "purpose": "", "licence": None, "commercial": None, "link": "l"}
    file = ModelFile(role="weights", names=("x",))
    with pytest.raises(ValueError, match="contradict"):
        Model(origin="hub", files=(file,), **facts)
    with pytest.raises(ValueError, match="one file"):
        Model(origin="web", files=(file, file), **facts)
