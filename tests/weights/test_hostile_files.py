"""Files that are not what they claim to be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from thfem_core.errors import WeightsError
from thfem_core.weights.checksum import other_kind
from thfem_core.weights.download import _CountedFile, _open_part
from thfem_core.weights.reading import embedded_tensors


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
