"""The mean of networks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from thfem_core.errors import InputError, OutputError
from training.average_weights import main


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Networks of constants 0, 1 and 2."""
    paths = [tmp_path / f"{number}.safetensors" for number in range(3)]
    for number, path in enumerate(paths):
        tensors = {"weight": torch.full((2, 3), float(number)).half(), "count": torch.tensor(7 + number)}
        save_file(tensors, path, metadata={"stage": "renderer"})
    return paths


def test_shares_are_weights_and_the_first_says_the_rest(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "mean.safetensors"
    assert main([str(out), f"2={files[0]}", f"1={files[1]}", f"1={files[2]}"]) == 0
    mean = load_file(out)
    assert torch.equal(mean["weight"], torch.full((2, 3), 0.75).half()) and int(mean["count"]) == 7
    with safe_open(out, "pt") as file:
        metadata = file.metadata()
    assert metadata["stage"] == "renderer"
    assert json.loads(metadata["mean_of"]) == ["2 0.safetensors", "1 1.safetensors", "1 2.safetensors"]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("{1}", "is no SHARE=FILE"),
        ("x={1}", "is no SHARE=FILE"),
        ("1=nobody", "there is no file"),
        ("0={1}", "above 0"),
        ("nan={1}", "finite numbers above 0"),
        ("inf={1}", "finite numbers above 0"),
        ("1={damaged}", "damaged.safetensors is no whole safetensors file"),
        ("1={other}", "other.txt is no whole safetensors file"),
    ],
)
def test_mistakes_are_one_line(part: str, message: str, files: list[Path], tmp_path: Path, capsys) -> None:
    damaged, other = tmp_path / "damaged.safetensors", tmp_path / "other.txt"
    damaged.write_bytes(files[1].read_bytes()[:40])
    other.write_text("a text of some length")
    part = part.format(*files, damaged=damaged, other=other)
    assert main([str(tmp_path / "out"), f"1={files[0]}", part]) == InputError.exit_code
    said = capsys.readouterr().err
    assert message in said and len(said.splitlines()) == 1 and not (tmp_path / "out").exists()


@pytest.mark.parametrize("out", ["no_folder/out.safetensors", "folder", "0.safetensors/out.safetensors"])
def test_where_nothing_can_be_written_is_one_line(out: str, files: list[Path], tmp_path: Path, capsys) -> None:
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert main([str(tmp_path / out), f"1={files[0]}", f"1={files[1]}"]) == OutputError.exit_code
    said = capsys.readouterr().err
    assert said.startswith("error: cannot write") and len(said.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_another_network_is_refused(files: list[Path], tmp_path: Path, capsys) -> None:
    save_file({"weight": torch.zeros(2, 2).half(), "count": torch.tensor(7)}, files[1])
    assert main([str(tmp_path / "out"), f"1={files[0]}", f"1={files[1]}"]) != 0
    assert "differ in their tensors" in capsys.readouterr().err
    save_file({"weight": torch.zeros(2, 3).half(), "count": torch.tensor(7), "more": torch.zeros(1)}, files[1])
    assert main([str(tmp_path / "out"), *(f"1={file}" for file in files)]) != 0
    assert "differ in their tensors" in capsys.readouterr().err
