"""Configurations: what is wrong is said in one line that names the setting; and the command's other plain errors."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from pathlib import Path

import pytest

from thfem_core.errors import InputError, OutputError
from thfem_core.talking_head.mouth.renderer import RendererConfig
from training.config import LoopConfig, from_table, read_toml
from training.train_thg import STAGES, main, stage_config

REPO = Path(__file__).parents[2]
DATA = {"prepared": "somewhere"}


CONFIGS = sorted((REPO / "training" / "configs").rglob("*.toml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_shipped_configurations_are_valid(path: Path) -> None:
    table = read_toml(path)
    stages = [stage for stage in STAGES if stage in table]
    assert stages and table["runs"].startswith("runs/")
    for stage in stages:
        config = stage_config(stage, table)
        if "steps" in table[stage].get("loop", {}):
            assert config.loop.steps == table[stage]["loop"]["steps"]


def test_an_ablation_differs_from_the_papers_run_in_one_thing() -> None:
    folder = REPO / "training" / "configs"
    paper = stage_config("eat", read_toml(folder / "eat_paper.toml"))
    assert (paper.sync, paper.pixel, paper.perceptual, paper.adversarial, paper.data.window) == (0.5, 10, 1, 0.1, 5)
    assert stage_config("eat", read_toml(folder / "ablations" / "eat_no_pixel.toml")) == replace(paper, pixel=0.0)
    twenty = stage_config("eat", read_toml(folder / "ablations" / "eat_frames_20.toml"))
    assert twenty == replace(paper, data=replace(paper.data, window=20))


def test_a_small_ablation_differs_from_the_small_run_in_one_thing() -> None:
    folder = REPO / "training" / "configs" / "ablations"
    for stage in ("renderer", "motion"):
        whole = stage_config(stage, read_toml(folder / "mouth_pairs.toml"))
        far = stage_config(stage, read_toml(folder / "mouth_frames_50.toml"))
        assert far == replace(whole, data=replace(whole.data, window=50))
    silent = stage_config("motion", read_toml(folder / "mouth_no_sync.toml"))
    assert silent == replace(whole, sync=0.0) and whole.sync > 0 and Path(whole.expert).name == "thfem_sync.safetensors"


def test_bases_in_a_circle_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('base = "b.toml"')
    (tmp_path / "b.toml").write_text('base = "a.toml"')
    with pytest.raises(InputError, match=r"is its own base; take the base out of one of: a\.toml, b\.toml"):
        read_toml(tmp_path / "a.toml")


def test_a_stage_overrides_what_all_stages_share() -> None:
    table = {"data": DATA, "loop": {"steps": 7, "lr": 1}, "sync": {"loop": {"lr": 0.5}, "data": {"window": 3}}}
    table["loop"]["lr"] = 0.1
    config = stage_config("sync", table)
    assert (config.loop.steps, config.loop.lr, config.data.window, config.data.prepared) == (7, 0.5, 3, "somewhere")


def test_values_become_what_the_fields_want() -> None:
    loop = from_table(LoopConfig, {"ema": 0, "betas": [0, 0.5]}, "loop")
    assert (loop.ema, loop.betas) == (0.0, (0.0, 0.5)) and type(loop.ema) is float
    assert from_table(RendererConfig, {"widths": [8, 16, 24]}, "network").widths == (8, 16, 24)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"data": DATA, "loop": {"stepz": 3}}, r"motion\.loop has no setting 'stepz'; choose among: .*steps"),
        ({"data": DATA, "motoin": {}}, "the configuration has no setting 'motoin'; choose among: .*motion"),
        ({"data": DATA, "motion": {"velocety": 1}}, "motion has no setting 'velocety'"),
        ({}, "data names neither prepared nor pairs"),
        ({"data": DATA, "loop": {"steps": "many"}}, r"motion\.loop\.steps is 'many'; give a value of type int"),
        ({"data": DATA, "loop": {"steps": 2.5}}, r"motion\.loop\.steps is 2\.5"),
        ({"data": DATA, "loop": {"steps": True}}, r"motion\.loop\.steps is True"),
        ({"data": DATA, "loop": {"steps": 0}}, r"loop\.steps is 0; give 1 or more"),
        ({"data": DATA, "loop": {"lr": -1.0}}, "loop.lr is -1; give a learning rate"),
        ({"data": DATA, "loop": {"ema": 1.0}}, "loop.ema is 1; give 0"),
        ({"data": DATA, "loop": {"betas": [0.9]}}, "betas has 1 values; give 2"),
        (
            {"data": DATA, "loop": {"betas": [2.0, 0.5]}},
            r"loop\.betas is \[2\.0, 0\.5\]; give two numbers from 0 to below 1",
        ),
        ({"data": DATA, "loop": {"betas": [0.9, nan]}}, "loop.betas is .*nan"),
        ({"data": DATA, "loop": {"weight_decay": -1.0}}, r"loop\.weight_decay is -1\.0; give 0 or more"),
        ({"data": DATA, "loop": {"weight_decay": inf}}, r"loop\.weight_decay is inf; give 0 or more"),
        ({"data": DATA, "loop": {"clip": nan}}, r"loop\.clip is nan; give 0 or more"),
        ({"data": DATA, "loop": {"warmup": -3}}, r"loop\.warmup is -3; give 0 or more"),
        ({"data": DATA, "loop": {"seed": -1}}, r"loop\.seed is -1; give 0 or more"),
        ({"data": DATA, "loop": {"drops": [0.8, 0.4]}}, r"loop\.drops is \[0\.8, 0\.4\]; give rising shares"),
        ({"data": DATA, "loop": {"drops": [50.0]}}, r"loop\.drops is \[50\.0\]; give rising shares"),
        ({"data": DATA, "loop": {"precision": "fp8"}}, "precision is 'fp8'; give one of: 'no', 'fp16', 'bf16'"),
        ({"data": {"prepared": "x", "window": 0}}, r"data\.window is 0; give 1 to 100"),
        ({"data": DATA, "motion": 3}, r"motion is 3; it must be a table"),
        ({"data": "here"}, r"data is 'here'; it must be a table"),
        ({"data": DATA, "motion": {"network": 3}}, r"motion\.network is 3; it must be a table"),
    ],
)
def test_what_is_wrong_is_one_clear_line(table: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        stage_config("motion", table)
    assert "\n" not in str(caught.value)


def command(folder: Path, text: str, *more: str) -> int:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return main(["--config", str(folder / "config.toml"), "--runs", str(folder / "runs"), "--cpu", *more])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[data]\nprepared = 'nowhere'", "no train clips in nowhere; make them with python -m training.build_dataset"),
        ("[data\n", "is not valid TOML"),
        ("[data]\nprepared = 'x'\n[loop]\nstep = 3", "has no setting 'step'"),
    ],
)
@pytest.mark.parametrize("stage", ["sync", "motion", "renderer"])
def test_the_command_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str, stage: str
) -> None:
    assert command(tmp_path, text, "--stage", stage) == InputError.exit_code
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("text", "flags", "message"),
    [
        ("", ["--steps", "0"], "--steps is 0; give 1 or more"),
        ("", ["--cpu-threads", "0"], "--cpu-threads is 0; give 1 or more"),
        ("[data]\nprepared = 'x'", ["--seed", "-1"], "loop.seed is -1; give 0 or more"),
        ("runs = 5\n[data]\nprepared = 'x'", [], "runs is 5; give the name of a folder"),
        ("base = '.'", [], "cannot be read (Is a directory); give a .toml file"),
    ],
)
def test_flags_and_settings_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, flags: list[str], message: str
) -> None:
    assert command(tmp_path, text, "--stage", "sync", *flags) == InputError.exit_code
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ("file", "file is a file; choose another folder"),
        ("file/below", "file is a file; choose another folder"),
        ("n" * 300, "name is too long"),
        ("runs", "runs/sync.safetensors: it is a folder; move it away, or give another --runs"),
    ],
)
def test_where_nothing_can_be_written_is_said_before_anything_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, runs: str, message: str
) -> None:
    loaded = STAGES["sync"]._replace(stage=lambda config: pytest.fail("must not be loaded"))
    monkeypatch.setitem(STAGES, "sync", loaded)
    (tmp_path / "file").touch()
    (tmp_path / "runs" / "sync.safetensors").mkdir(parents=True)
    text = "[data]\nprepared = 'x'"
    assert command(tmp_path, text, "--stage", "sync", "--runs", str(tmp_path / runs)) == OutputError.exit_code
    error = capsys.readouterr().err
    assert error.startswith("error: cannot write") and message in error and error.count("\n") == 1


def test_files_and_stages_that_do_not_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, message in (("none.toml", "there is no configuration"), (".", "(Is a directory); give a .toml file")):
        assert main(["--config", str(tmp_path / name), "--stage", "sync"]) == InputError.exit_code
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command(tmp_path, "", "--stage", "lips")
    assert "invalid choice: 'lips'" in capsys.readouterr().err
