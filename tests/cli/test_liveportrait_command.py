"""LivePortrait on the command line: its files fetched from a loopback hub, then edits and the self-test, on networks
of the published layout that are smaller than those."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_server import Hub, running_hub
from liveportrait_material import write_liveportrait

from thfem_core.media.file_video import FileVideo
from thfem_core.networks.liveportrait.model import LIVEPORTRAIT, LIVEPORTRAIT_MIT

NAME = LIVEPORTRAIT_MIT.name


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Holds small files under both repositories' names; nothing is on this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("THFEM_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 2**12)
    written = write_liveportrait(tmp_path / "published", layout="flat_short")
    with running_hub() as hub:
        for model in (LIVEPORTRAIT, LIVEPORTRAIT_MIT):
            for path in written.values():
                hub.files[f"{model.repo}/resolve/main/{path.name}"] = path.read_bytes()
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        yield hub


def test_fetched_from_the_hub_and_edited(thfem, hub: Hub, short_clip: Path, folder: Path) -> None:
    output = folder / "out.mp4"
    options = ("--editor", "liveportrait", "--talking-head", "none")
    refused = thfem("edit", short_clip, "-o", output, "--emotion", "happy", *options)
    assert refused.code and "spade_generator" not in refused.err and len(refused.err.splitlines()) == 1
    assert "bytes" in refused.err or "sha256" in refused.err, "smaller files than the table knows are refused"

    assert thfem("models", "fetch", NAME).code == 0
    assert thfem("models", "check", NAME).code == 0
    done = thfem(
        "edit", short_clip, "-o", output, "--slider", "happy", "--slider", "eyebrow=4", *options, "--pasting", "plain"
    )
    assert done.code == 0, done.err
    assert "12 of 12 frames edited" in done.out
    source, edited = (list(FileVideo(path).frames()) for path in (short_clip, output))
    change = np.abs(source[6].rgb().astype(int) - edited[6].rgb()).mean(axis=-1)
    assert change[130:340, 160:345].mean() > 10

    judged = thfem("models", "check", NAME, "--render")
    assert judged.code == 0 and "WRONG: these files do not draw people" in judged.out


def test_a_broken_download_goes_on_and_lies_are_refused(thfem, hub: Hub) -> None:
    hub.lies = b"x" * 1000
    lied = thfem("models", "fetch", NAME)
    assert lied.code and "what came from" in lied.err
    hub.lies = None
    hub.cut_after = 20_000  # within the first file
    assert thfem("models", "fetch", NAME).code
    hub.cut_after, hub.down, hub.requests = None, False, []
    assert thfem("models", "fetch", NAME).code == 0
    assert any("bytes=" in request for request in hub.gets()), "continued where it broke off"
    hub.down = True
    assert thfem("models", "fetch", NAME).code == 0, "nothing is fetched twice"


def test_wrong_sliders_are_one_line(thfem, short_clip: Path, folder: Path) -> None:
    for words, message in (
        (("--slider", "smile=9"), "smile is 9; give a value between -0.3 and 1.3"),
        (("--slider", "grin"), "no slider preset 'grin'"),
        (("--slider", "wink=3"), "the mesh editor cannot show wink; use --editor liveportrait"),
    ):
        outcome = thfem("edit", short_clip, "-o", folder / "out.mp4", *words, "--talking-head", "none")
        assert outcome.code and message in outcome.err and len(outcome.err.strip().splitlines()) == 1
