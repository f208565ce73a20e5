"""LivePortrait on the command line: its files fetched from a loopback hub, then edits and the self-test, on networks
of the published layout that are smaller than those."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hub_server import Hub, running_hub
from liveportrait_material import write_liveportrait
from pctalk_material import write_pctalk

from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.writer import write_video
from thfem_core.networks.liveportrait.model import LIVEPORTRAIT, LIVEPORTRAIT_MIT
from thfem_core.networks.liveportrait.networks import LivePortraitNetworks

NAME = LIVEPORTRAIT_MIT.name
NO_HEAD = ("--talking-head", "none")


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


def test_lips_from_sound_with_the_expression(
    thfem, short_clip: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One picture per frame has both; no talking head draws the lips again, and the report says so."""
    monkeypatch.setenv("THFEM_MODELS", str(write_pctalk(tmp_path / "models")))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    write_liveportrait(tmp_path / "models", layout="original_pth")
    drawn: list[int] = []
    render = LivePortraitNetworks.render

    def spy(self: LivePortraitNetworks, appearance: object, source: object, driving: np.ndarray) -> object:
        drawn.append(len(driving))
        return render(self, appearance, source, driving)

    monkeypatch.setattr(LivePortraitNetworks, "render", spy)
    words = ("edit", short_clip, "--emotion", "happy", "--editor", "liveportrait", "--pasting", "plain")
    results = {}
    for lips in ("sound", "kept"):
        drawn.clear()
        done = thfem(*words, "--lips", lips, "-o", folder / f"{lips}.mp4", *NO_HEAD * (lips == "kept"))
        assert done.code == 0, done.err
        assert ("lips drawn by the sound, with the expression" in done.out) == (lips == "sound")
        assert "lips drawn in" not in done.out and sum(drawn) == 12
        results[lips] = np.stack([frame.rgb() for frame in FileVideo(folder / f"{lips}.mp4").frames()]).astype(int)
    assert np.abs(results["sound"] - results["kept"]).max() > 20
    twice = thfem(*words, "--lips", "sound", "--talking-head", "pctalk", "-o", folder / "twice.mp4")
    assert twice.code and "draws the lips by the sound itself; leave the talking head pctalk out" in twice.err
    silent = tmp_path / "silent.mp4"
    clip = ArrayVideo(results["kept"][:3].astype(np.uint8), Fraction(25))
    write_video(clip.frames(), silent, like=clip)
    mute = thfem("edit", silent, *words[2:], "--lips", "sound", "-o", folder / "mute.mp4")
    assert mute.code and "lips from sound need a clip with sound; choose --lips shifted" in mute.err
    for refused in (twice, mute):
        assert len(refused.err.strip().splitlines()) == 1
    assert {path.name for path in folder.iterdir()} == {"sound.mp4", "kept.mp4"}


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
