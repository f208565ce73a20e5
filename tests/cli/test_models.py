"""``models``: the table, fetching, checking and converting, as a user sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from hub_server import CONTENT, Hub, made_up_files, made_up_models, running_hub
from safetensors import safe_open
from safetensors.torch import save_file

from thfem_core import catalogue
from thfem_core.errors import WeightsError
from thfem_core.progress import Progress, silent
from thfem_core.weights.convert import Converted
from thfem_core.weights.reading import safe_load


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first model folder of a machine that has no model yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("THFEM_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub() as hub:
        hub.files = made_up_files()
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        models = {model.name: model for model in made_up_models(hub.address)}
        monkeypatch.setattr(catalogue, "all_models", lambda: models)
        yield hub


def tiny_converter(files: Sequence[Path], *, progress: Progress = silent) -> Converted:
    """Keeps the network of a checkpoint, drops its optimizer."""
    state = safe_load(files[0])
    if "net" not in state:
        raise WeightsError(f"{files[0]} holds no net; give the official file")
    progress("Converting", 1, 1)
    return Converted(tensors=state["net"], card={"epoch": state["epoch"]})


@pytest.fixture
def tiny(hub, monkeypatch) -> None:
    """A converter for the model ``manual``."""
    monkeypatch.setattr(catalogue, "find_converter", {"manual": tiny_converter}.get)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "official.pth.tar"
    torch.save({"net": {"weight": torch.arange(6.0).view(2, 3).T}, "optimizer": {"lr": 0.1}, "epoch": 7}, path)
    return path


def test_the_table_has_a_row_per_model_with_licence_and_use(thfem, models):
    for arguments in (("models",), ("models", "list")):
        outcome = thfem(*arguments)
        assert outcome.code == 0, outcome.err
        header, *rows = outcome.out.splitlines()[: len(catalogue.all_models()) + 1]
        assert header.split() == ["NAME", "FOR", "SIZE", "LICENCE", "COMMERCIAL", "HERE"]
        assert [row.split()[0] for row in rows] == list(catalogue.all_models())
        cells = {row.split()[0]: row[header.index("LICENCE") :].split("  ") for row in rows}
        assert [cell.strip() for cell in cells["eat"] if cell.strip()] == ["CC BY-NC 4.0", "no", "no: place it"]
        assert [cell.strip() for cell in cells["face-basis"] if cell.strip()] == ["MIT", "yes", "yes"]
        assert str(models) in outcome.out


def test_a_named_model_shows_all_that_is_known(thfem):
    outcome = thfem("models", "list", "wav2lip-expert", "eat")
    assert outcome.code == 0
    for fact in ("197,357,631 bytes", "sha256 9b9936c7…", "Nekochu/Wav2Lip, revision not pinned", "sha256 unknown"):
        assert fact in outcome.out


def test_fetch_brings_a_file_and_says_where(thfem, hub, models):
    outcome = thfem("models", "fetch", "known", "web")
    assert outcome.code == 0, outcome.err
    assert outcome.out.splitlines() == [f"{name}: {models / name / 'net.pth'}" for name in ("known", "web")]
    assert (models / "known" / "net.pth").read_bytes() == CONTENT
    assert "yes" in next(line for line in thfem("models").out.splitlines() if line.startswith("known"))


def test_fetch_into_a_folder(thfem, hub, tmp_path):
    outcome = thfem("models", "fetch", "known", "--folder", tmp_path / "there", "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert (tmp_path / "there" / "known" / "net.pth").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("fetch",), 2, "name the models to fetch"),
        (("fetch", "nonsense"), 2, "choose one of: known, unknown"),
        (("fetch", "gone"), 4, "not there any more"),
        (("fetch", "manual"), 4, "https://example.org/page (licence CC BY-NC 4.0, not for commercial use)"),
        (("check", "manual"), 4, "manual.safetensors or new.pth or old.pth is not on this machine"),
        (("check", "nonsense"), 2, "choose one of"),
        (("convert", "manual"), 2, "models convert NAME FILE"),
        (("convert", "known", "x.pth"), 2, "nothing to convert"),
        (("convert", "manual", "nowhere.pth"), 2, "there is no file nowhere.pth"),
        (("convert", "manual", __file__, "-o", "x.pth"), 2, "must end in .safetensors"),
        (("mend",), 2, "invalid choice"),
    ],
)
def test_faults_are_one_line(arguments, code, words, thfem, hub, tiny):
    outcome = thfem("models", *arguments)
    assert outcome.code == code
    assert len(outcome.error_lines) == 1
    assert words in outcome.err


def test_check_reads_everything_that_is_here(thfem, hub, models):
    models.mkdir()
    (models / "net.pth").write_bytes(CONTENT)  # of the right sum, but no checkpoint
    save_file({"weight": torch.ones(2)}, models / "manual.safetensors")
    outcome = thfem("models", "check")
    assert outcome.code == 4
    assert f"BAD       known: {models / 'net.pth'}" in outcome.out
    assert f"readable  manual: {models / 'manual.safetensors'}" in outcome.out
    assert len(outcome.error_lines) == 1
    assert "damaged or incomplete" in outcome.err
    assert thfem("models", "check", "manual").code == 0


def test_check_of_the_embedded_files(thfem):
    outcome = thfem("models", "check")
    assert outcome.code == 0, outcome.err
    verdicts = {line.split()[1]: line.split()[0] for line in outcome.out.splitlines()}
    assert verdicts["face-basis:"] == "ok"
    assert set(verdicts.values()) <= {"ok", "readable"}


@pytest.mark.parametrize("named", [False, True])
def test_convert_writes_tensors_and_a_card(named, thfem, tiny, models, checkpoint, tmp_path):
    output = tmp_path / "mine.safetensors" if named else models / "manual.safetensors"
    outcome = thfem("models", "convert", "manual", checkpoint, *(("-o", output) if named else ()))
    assert outcome.code == 0, outcome.err
    assert "CC BY-NC 4.0, not for commercial use" in outcome.out
    loaded = safe_load(output)
    assert loaded.keys() == {"weight"}
    assert torch.equal(loaded["weight"], torch.arange(6.0).view(2, 3).T)
    card = json.loads(output.with_suffix(".json").read_text())
    assert (card["model"], card["epoch"], card["tensors"], card["parameters"]) == ("manual", 7, 1, 6)
    assert card["files"][0]["name"] == "official.pth.tar"
    assert card["files"][0]["size"] == checkpoint.stat().st_size
    assert output.stat().st_mode == output.with_suffix(".json").stat().st_mode, "readable for whoever may read the card"
    with safe_open(output, framework="pt") as file:
        assert json.loads(file.metadata()["card"]) == card


def test_a_wrong_file_leaves_nothing(thfem, tiny, tmp_path, folder):
    wrong = tmp_path / "wrong.pth"
    torch.save({"other": torch.ones(1)}, wrong)
    outcome = thfem("models", "convert", "manual", wrong, "-o", folder / "o.safetensors")
    assert outcome.code == 4
    assert "holds no net" in outcome.err
    assert not list(folder.iterdir())


def test_a_model_whose_files_are_all_optional_is_not_there_without_them(thfem, models):
    rows = [line for line in thfem("models").out.splitlines() if line.startswith("ned-segmentation")]
    assert len(rows) == 1
    assert "unknown" in rows[0] and rows[0].endswith("no: place it")
