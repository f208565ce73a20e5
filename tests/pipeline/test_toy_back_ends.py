"""A back end is one folder and one line: then it is in the command's help, in the nodes, and runs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from comfy_host import REPO, NoHost, run_in_host

from thfem_core.cli.main import main
from thfem_core.expression.editor import editors
from thfem_core.media.file_video import FileVideo
from thfem_core.media.writer import write_video
from thfem_core.talking_head.head import talking_heads

CORNER, SQUARE = np.s_[4:12, 4:12], np.s_[330:340, 240:250]


@pytest.fixture
def toys():
    editors.register("tint", "toys.tinting_editor")
    talking_heads.register("square", "toys.square_head")
    yield
    del editors._folders["tint"], talking_heads._folders["square"]


@pytest.fixture(scope="module")
def clip(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toys") / "clip.mp4"
    video = FileVideo(demo_clip, duration=Fraction(6, 25))
    write_video(video.frames(), path, like=video)
    return path


def test_the_command_lists_their_options(toys, capsys):
    with pytest.raises(SystemExit):
        main(["edit", "--help"])
    help = " ".join(capsys.readouterr().out.split())
    for words in (
        "tint: Paints a corner, for tests.",
        "options of the expression editor tint",
        "--brightness N",
        "--corner left|right Which corner is painted. (default: left)",
        "--inverted, --no-inverted",
        "--square-side N",
        "Also of the talking head square.",
    ):
        assert words in help


def test_the_command_runs_them(toys, clip, tmp_path, capsys):
    output = tmp_path / "o.mp4"
    chosen = ["--editor", "tint", "--talking-head", "square", "--drive", "audio"]
    options = ["--brightness", "120", "--inverted", "--square-side", "60", "--crf", "4"]
    assert main(["edit", str(clip), "-o", str(output), "--emotion", "happy", *chosen, *options]) == 0
    assert "lips drawn in 6" in capsys.readouterr().out
    for frame in FileVideo(output).frames():
        # both have a brightness, so the one flag acts on both
        assert abs(frame.rgb()[CORNER].astype(int) - (255 - 120)).max() < 6
        assert abs(frame.rgb()[SQUARE].astype(int) - 120).max() < 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--editor", "tint", "--brightness", "300"], "brightness is 300; give a value between 0 and 255"),
        (["--editor", "tint", "--brightness", "much"], "--brightness is 'much'; give a whole number"),
        (["--editor", "tint", "--corner", "top"], "corner is 'top'; choose one of: left, right"),
        (["--editor", "mesh", "--corner", "left"], "--corner is an option of the expression editor tint"),
        (["--brightness", "1"], "of the expression editor tint or the talking head square"),
    ],
)
def test_the_command_refuses_what_does_not_fit(arguments, words, toys, clip, tmp_path, capsys):
    assert main(["edit", str(clip), "-o", str(tmp_path / "o.mp4"), "--emotion", "happy", *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line
    assert not list(tmp_path.iterdir())


def test_the_nodes_have_and_run_them(comfy_folder, tmp_path, clip):
    try:
        facts = run_in_host(comfy_folder, REPO / "tests" / "toys" / "node_facts.py", tmp_path, str(clip))
    except NoHost as reason:
        pytest.skip(str(reason))
    edit, tint, square = facts["edit"], facts["tint"], facts["square"]
    assert edit["editor"][1]["options"][-1] == "tint" and "Paints a corner" in edit["editor"][1]["tooltip"]
    assert tint["brightness"][0] == "INT"
    assert (tint["brightness"][1]["min"], tint["brightness"][1]["max"], tint["brightness"][1]["default"]) == (
        0,
        255,
        200,
    )
    assert tint["brightness"][1]["tooltip"] == "tint: Brightness of the corner."
    assert tint["corner"][1]["options"] == ["left", "right"]
    assert tint["inverted"][0] == "BOOLEAN"
    assert square["square_side"][1]["default"] == 40
    assert facts["corner_drawn"] == pytest.approx(120, abs=6)
    assert facts["square_drawn"] == pytest.approx(30, abs=6)
