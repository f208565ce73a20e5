"""Files that are not what they claim to be."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from thfem_core.errors import WeightsError
from thfem_core.expression.mesh import fold_maps, texture
from thfem_core.face.mediapipe.models import load_networks
from thfem_core.face.mesh import basis
from thfem_core.face.occlusion import loading as occlusion
from thfem_core.metrics.judges.thfem_sync.network import load_thfem_sync_network
from thfem_core.talking_head.mouth import coefficients
from thfem_core.talking_head.mouth.networks import load_motion, load_renderer
from thfem_core.weights.checksum import other_kind
from thfem_core.weights.download import _CountedFile, _open_part
from thfem_core.weights.model import EMBEDDED_FOLDER
from thfem_core.weights.reading import embedded_tensors, load_strict


@pytest.mark.parametrize(
    ("name", "data", "fault"),
    [
        ("net.safetensors", b"", "empty"),
        ("net.pth", b"\n<!DOCTYPE html><html>sign in</html>", "web page"),
        ("net.safetensors", b"\x08\x00\x00\x00\x00\x00\x00\x00nonsense", "safetensors"),
        ("net.pth", b"some text", "checkpoint"),
    ],
)
def test_an_answer_that_is_no_model_file_is_recognised(name, data, fault, tmp_path: Path):
    (tmp_path / "part").write_bytes(data)
    assert fault in (other_kind(tmp_path / "part", name=name) or "")


def test_a_real_model_file_is_accepted(tmp_path: Path):
    save_file({"a": torch.zeros(2)}, tmp_path / "part")
    torch.save({"a": torch.zeros(2)}, tmp_path / "other")
    assert other_kind(tmp_path / "part", name="net.safetensors") is None
    assert other_kind(tmp_path / "other", name="net.pth") is None


def test_a_part_that_is_a_link_is_never_followed(tmp_path: Path):
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "part").symlink_to(tmp_path / "precious")
    with _open_part(tmp_path / "part", 100) as stream:
        stream.write(b"downloaded")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (tmp_path / "part").is_symlink() and (tmp_path / "part").read_bytes() == b"downloaded"


def test_a_part_that_is_too_long_is_begun_anew(tmp_path: Path):
    (tmp_path / "part").write_bytes(bytes(200))
    with _open_part(tmp_path / "part", 100) as stream:
        assert stream.tell() == 0
    (tmp_path / "part").write_bytes(bytes(60))
    with _open_part(tmp_path / "part", 100) as stream:
        assert stream.tell() == 60


def test_no_more_than_announced_is_written(tmp_path: Path):
    with _open_part(tmp_path / "part", 10) as stream:
        counted = _CountedFile(stream, tmp_path / "part", lambda done: None, most=10)
        counted.write(bytes(8))
        with pytest.raises(WeightsError, match="more than the 10 bytes"):
            counted.write(bytes(8))


def test_embedded_files_without_notes_or_with_nan_are_refused(tmp_path: Path):
    save_file({"a": torch.zeros(2)}, tmp_path / "bare.safetensors")
    tensors, notes = embedded_tensors("bare.safetensors", maker="a script", folder=tmp_path)
    for entries in (tensors, notes):
        with pytest.raises(WeightsError, match="b is missing"):
            entries["b"]
    save_file({"a": torch.tensor([1.0, float("nan")])}, tmp_path / "nan.safetensors")
    with pytest.raises(WeightsError, match="damaged"):
        embedded_tensors("nan.safetensors", maker="a script", folder=tmp_path)


def read_through(module: ModuleType, load: Callable, path: Path, *arguments: object) -> object:
    """Load an embedded file from another folder, past what the process keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "embedded_tensors", partial(embedded_tensors, folder=path.parent))
        return load.__wrapped__(*arguments)


EMBEDDED = {
    "face_basis": partial(read_through, basis, basis.load_basis),
    "fold_maps": partial(read_through, fold_maps, fold_maps.load_fold_maps),
    "expression_ratio": partial(read_through, texture, texture.load_ratio),
    "occlusion": lambda path: read_through(occlusion, occlusion.load_occlusion_net, path, torch.device("cpu")),
    "mouth_basis": partial(read_through, coefficients, coefficients.load_mouth_basis),
    "mouth_motion": load_motion,
    "mouth_renderer": load_renderer,
    "thfem_sync": load_thfem_sync_network,
    "mediapipe_face": lambda path: load_networks(path.parent),
}


def spoil_notes(tensors: dict, notes: dict) -> None:
    notes.clear()


def spoil_list(tensors: dict, notes: dict) -> None:
    for key, value in notes.items():
        notes[key] = value + ",smirk"


def spoil_configuration(tensors: dict, notes: dict) -> None:
    notes["config"] = notes["config"].replace('"network": {', '"network": {"width": "wide", "widths": 7, ')


def spoil_size(tensors: dict, notes: dict) -> None:
    notes["config"] = notes["config"].replace('"network": {', '"network": {"width": 999999999, "widths": [999999996], ')


def spoil_shape(tensors: dict, notes: dict) -> None:
    key = max(tensors, key=lambda each: tensors[each].numel())
    tensors[key] = torch.cat([tensors[key], tensors[key]], dim=-1)


def spoil_number(tensors: dict, notes: dict) -> None:
    key = max((k for k in tensors if tensors[k].is_floating_point()), key=lambda each: tensors[each].numel())
    tensors[key].view(-1)[-1] = float("nan")


def spoil_keys(tensors: dict, notes: dict) -> None:
    del tensors[sorted(tensors)[0]]


SPOILT = [
    *((spoil, name) for spoil in (spoil_shape, spoil_number, spoil_keys) for name in EMBEDDED),
    *((spoil, name) for spoil in (spoil_notes, spoil_list) for name in ("face_basis", "fold_maps", "expression_ratio")),
    *((spoil, name) for spoil in (spoil_configuration, spoil_size) for name in ("mouth_motion", "mouth_renderer")),
]


@pytest.mark.parametrize(("spoil", "name"), SPOILT)
def test_an_embedded_or_own_file_of_another_kind_is_refused_in_one_line(spoil, name: str, tmp_path: Path):
    with safe_open(EMBEDDED_FOLDER / f"{name}.safetensors", framework="pt") as file:
        tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118 - not a mapping
        notes = dict(file.metadata())
    if '"network": {' not in notes.get("config", ""):
        notes["config"] = '{"motion": {"network": {}}, "renderer": {"network": {}}}'
    spoil(tensors, notes)
    save_file(tensors, tmp_path / f"{name}.safetensors", metadata=notes)
    with pytest.raises(WeightsError) as error:
        EMBEDDED[name](tmp_path / f"{name}.safetensors")
    assert "\n" not in str(error.value) and name in str(error.value) and ";" in str(error.value)


def test_the_embedded_files_themselves_are_taken():
    assert sorted(EMBEDDED) == sorted(path.stem for path in EMBEDDED_FOLDER.glob("*.safetensors"))
    for name, load in EMBEDDED.items():
        load(EMBEDDED_FOLDER / f"{name}.safetensors")


def test_a_checkpoint_with_numbers_that_are_none_is_refused():
    layer, state = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2).state_dict()
    state["bias"][1] = float("inf")
    before = layer.weight.clone()
    with pytest.raises(WeightsError, match=r"EAT is damaged: 1 tensors have numbers that are none \(bias\)"):
        load_strict(layer, state, what="EAT")
    assert torch.equal(layer.weight, before)
