"""The table of models is complete and consistent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import safe_open

from thfem_core import catalogue
from thfem_core.catalogue import find_converter, find_model
from thfem_core.errors import InputError
from thfem_core.weights.checksum import fault_of
from thfem_core.weights.model import EMBEDDED_FOLDER, Model

MODELS = list(catalogue.all_models().values())
EMBEDDED_FILES = [(model, file) for model in MODELS if model.origin == "embedded" for file in model.files]


def test_every_embedded_file_is_listed():
    listed = {name for _, file in EMBEDDED_FILES for name in file.names}
    assert {path.name for path in EMBEDDED_FOLDER.glob("*.safetensors")} <= listed


@pytest.mark.parametrize(
    ("model", "file"), EMBEDDED_FILES, ids=lambda value: value.name if isinstance(value, Model) else value.role
)
def test_embedded_files_are_the_listed_ones(model, file):
    path = EMBEDDED_FOLDER / file.names[0]
    assert fault_of(path, size=file.size, sha256=file.sha256) is None, "after retraining, update the back end's Model"


@pytest.mark.parametrize("path", sorted(EMBEDDED_FOLDER.glob("*.safetensors")), ids=lambda path: path.name)
def test_embedded_files_tell_no_path_of_the_machine_that_made_them(path: Path):
    with safe_open(path, framework="numpy") as tensors:
        assert '"/' not in str(tensors.metadata())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_entries_say_where_a_person_finds_them_and_name_their_files(model: Model):
    assert model.link
    for file in model.files:
        assert file.accepted
        assert all(Path(name).name == name for name in file.accepted)
        assert file.sha256 is None or set(file.sha256) <= set("0123456789abcdef")
        assert file.converted is None or find_converter(model.name) is not None
    assert len({file.role for file in model.files}) == len(model.files)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(InputError, match=r"unknown model 'nonsense'; choose one of: mediapipe-face, .*eat, deepspeech"):
        find_model("nonsense")


def test_one_model_described_in_two_ways_is_a_mistake_of_the_author(monkeypatch):
    (first, *_) = catalogue.all_models().values()
    monkeypatch.setattr(catalogue, "TRAINING_MODELS", (replace(first, purpose="another"),))
    with pytest.raises(ValueError, match="let them share one Model"):
        catalogue.all_models()
