"""Local folders first, then the network; damaged or missing files end in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from comfy_host import REPO
from filelock import FileLock
from hub_server import CONTENT, REVISION, Hub

from thfem_core.errors import WeightsError
from thfem_core.weights.store import find_file, locate, locate_file, missing_file, model_folders


def one_line(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def resumed_from(hub: Hub) -> int:
    """The byte from which the only download began."""
    (get,) = hub.gets()
    return int(get.split("bytes=")[1].split("-")[0])


@pytest.mark.parametrize("name", ["known", "unknown", "web"])
def test_a_download_lands_in_the_first_folder_and_is_not_repeated(name, hub, folder):
    steps = []
    path = locate_file(hub.model(name), folders=[folder], progress=lambda *step: steps.append(step))
    assert path == folder / name / "net.pth"
    assert path.read_bytes() == CONTENT
    assert steps[0] == ("Downloading net.pth", 0, len(CONTENT))
    assert steps[-1] == ("Downloading net.pth", len(CONTENT), len(CONTENT))
    hub.requests.clear()
    assert locate(hub.model(name), folders=[folder]) == {"weights": path}
    assert hub.requests == []


def test_the_pinned_revision_is_asked_for(hub, folder):
    locate(hub.model("known"), folders=[folder])
    assert all(f"/resolve/{REVISION}/" in request for request in hub.requests)


@pytest.mark.parametrize(("name", "sent"), [("unknown", "Bearer hf_secret"), ("web", None)])
def test_a_users_token_goes_to_the_hub_alone(name, sent, hub, folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    locate(hub.model(name), folders=[folder])
    assert hub.tokens == {sent}


def test_waiting_for_another_process_can_be_cancelled(hub, folder):
    (folder / "known").mkdir(parents=True)

    def cancel(stage: str, done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with FileLock(folder / "known" / ".net.pth.lock"), pytest.raises(KeyboardInterrupt):
        locate(hub.model("known"), folders=[folder], progress=cancel)
    assert hub.gets() == []


@pytest.mark.parametrize("place", ["models/known/net.pth", "models/net.pth", "cache/thfem/net.pth", "other/net.pth"])
def test_local_files_win(place, hub, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THFEM_MODELS", os.pathsep.join([str(tmp_path / "nowhere"), str(tmp_path / "other")]))
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert locate_file(hub.model("known"), folders=[folder]) == path
    assert hub.requests == []


def test_the_cache_of_torch_hub_counts_for_web_files(hub, folder, tmp_path):
    path = tmp_path / "torch" / "hub" / "checkpoints" / "net.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert locate_file(hub.model("web"), folders=[folder]) == path


def test_without_folders_downloads_go_to_the_variable_then_to_the_cache(folder, tmp_path, monkeypatch):
    assert model_folders() == (tmp_path / "cache" / "thfem",)
    monkeypatch.setenv("THFEM_MODELS", str(tmp_path / "mine"))
    assert model_folders([folder]) == (folder, tmp_path / "mine", tmp_path / "cache" / "thfem")


def test_a_broken_download_is_continued(hub, folder):
    hub.cut_after = 300_000
    with pytest.raises(WeightsError, match=r"try again to continue|error 503"):
        locate(hub.model("unknown"), folders=[folder])
    assert not (folder / "unknown" / "net.pth").exists()
    hub.cut_after, hub.down = None, False
    hub.requests.clear()
    assert locate_file(hub.model("unknown"), folders=[folder]).read_bytes() == CONTENT
    assert resumed_from(hub) >= 2**16
    assert [path.name for path in (folder / "unknown").iterdir()] == ["net.pth"], "nothing else is left"


def test_a_cancelled_download_stops_at_once_and_is_continued(hub, folder):
    class Cancelled(BaseException):
        pass

    def cancel(stage: str, done: int, total: int | None) -> None:
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        locate(hub.model("known"), folders=[folder], progress=cancel)
    assert not (folder / "known" / "net.pth").exists()
    hub.requests.clear()
    assert locate_file(hub.model("known"), folders=[folder]).read_bytes() == CONTENT
    assert resumed_from(hub) == 2**16


def test_two_processes_fetch_a_file_once(hub, folder):
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: locate_file(hub.model("known"), folders=[folder]), range(4)))
    assert paths == {folder / "known" / "net.pth"}
    assert len(hub.gets()) == 1


@pytest.mark.parametrize("name", ["known", "unknown", "web"])
def test_a_download_with_other_content_is_refused_and_removed(name, hub, folder):
    hub.lies = bytes(len(CONTENT))
    with pytest.raises(WeightsError, match="sha256") as error:
        locate(hub.model(name), folders=[folder])
    assert "https://example.org/page" in one_line(error) or name == "web"
    assert not [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size]
    hub.lies = None
    assert locate_file(hub.model(name), folders=[folder]).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "fault"), [(CONTENT[:-1], "1,279,999 bytes instead of 1,280,000"), (CONTENT[::-1], "the sha256")]
)
def test_a_damaged_local_file_is_one_line(content, fault, hub, folder):
    folder.mkdir()
    (folder / "net.pth").write_bytes(content)
    with pytest.raises(WeightsError, match=fault) as error:
        locate(hub.model("known"), folders=[folder])
    assert str(folder / "net.pth") in one_line(error)
    assert (folder / "net.pth").exists(), "a user's file is never deleted"


def test_a_file_that_left_the_hub(hub, folder):
    with pytest.raises(WeightsError, match="not there any more") as error:
        locate(hub.model("gone"), folders=[folder])
    text = one_line(error)
    for fact in ("net.pth", str(folder), "https://example.org/page", "CC BY-NC 4.0, not for commercial use"):
        assert fact in text


def test_no_network_is_one_line_at_once(hub, folder, monkeypatch, capfd):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match="no connection") as error:
        locate(hub.model("unknown"), folders=[folder])
    one_line(error)
    assert not folder.exists()
    assert capfd.readouterr() == ("", "")


def test_downloading_can_be_forbidden(hub, folder):
    with pytest.raises(WeightsError, match=r"not on this machine; run .* models fetch unknown`, or get it from"):
        locate(hub.model("unknown"), folders=[folder], download=False)
    assert hub.requests == []


def test_a_folder_that_cannot_be_written(hub, folder):
    folder.write_text("a file")
    with pytest.raises(Exception, match="cannot write") as error:
        locate(hub.model("unknown"), folders=[folder])
    assert error.type.__name__ == "OutputError"


def test_files_people_place_themselves(hub, folder):
    with pytest.raises(WeightsError) as error:
        locate(hub.model("manual"), folders=[folder])
    text = one_line(error)
    for fact in ("manual.safetensors or new.pth or old.pth", "https://example.org/page", str(folder), "CC BY-NC"):
        assert fact in text
    folder.mkdir()
    for name in ("old.pth", "new.pth", "manual.safetensors"):  # each is preferred to those before
        (folder / name).write_bytes(b"x")
        assert locate(hub.model("manual"), folders=[folder]) == {"checkpoint": folder / name}
    (folder / "extra.npy").write_bytes(b"x")
    assert locate(hub.model("manual"), folders=[folder])["extra"] == folder / "extra.npy"


def test_an_optional_file_can_be_asked_for_by_name(hub, folder):
    model = hub.model("manual")
    assert find_file(model, model.file("extra"), folders=[folder]) is None
    assert "extra.npy" in str(missing_file(model, model.file("extra"), folders=[folder]))


def test_the_hubs_own_settings_hold_in_a_fresh_process(hub, folder):
    """HF_ENDPOINT and HF_HUB_OFFLINE as users set them, and the hub's library untouched."""
    script = (
        "import sys; from thfem_core.weights.download import download_file; from pathlib import Path\n"
        "from thfem_core.weights.model import Model, ModelFile\n"
        "file = ModelFile(role='weights', names=('net.pth',))\n"
        "model = Model(name='m', purpose='', origin='hub', repo='someone/unknown', files=(file,), licence=None,"
        " commercial=None, link='')\n"
        "try: download_file(model, file, Path(sys.argv[1]), progress=lambda *step: None)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )

    def run(**settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", script, str(folder / "net.pth")],
            env=os.environ | settings,
            cwd=REPO,
            capture_output=True,
            text=True,
            timeout=60,
        )

    offline = run(HF_HUB_OFFLINE="1")
    assert "WeightsError" in offline.stdout
    assert "HF_HUB_OFFLINE is set" in offline.stdout
    assert hub.requests == []
    online = run()
    assert (online.stdout, online.stderr) == ("", "")
    assert (folder / "net.pth").read_bytes() == CONTENT
