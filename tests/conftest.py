"""Fixtures that more than one folder of tests needs: a ComfyUI host, and a talking clip."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from comfy_host import REPO, ComfyServer, NoHost, find_host, run_in_host

# Fixtures of a session that cost much: one process runs all tests that need one of them.
COSTLY = ("comfy", "eat_files", "eamm_file", "published_eat", "converted_eamm")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Group tests for ``-n 2 --dist loadgroup``: by the costly fixture they need, else by file."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            needed: list[str] = getattr(item, "fixturenames", [])
            group = next((name for name in COSTLY if name in needed), item.location[0])
            item.add_marker(pytest.mark.xdist_group(group))


def without_host(reason: str) -> None:
    """No host is a failure in CI, and a reason to skip on a machine that has no network."""
    if os.environ.get("CI", "").lower() in ("1", "true") or os.environ.get("THFEM_REQUIRE_HOST") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def subnormal_numbers() -> None:
    """Code that PyTorch 2.4 compiles turns tiny numbers to 0 in the whole thread, for whatever test comes next."""
    import torch

    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def comfy_folder() -> Path:
    """A ComfyUI checkout: COMFYUI_DIR, or the one from PyPI."""
    try:
        return find_host()
    except NoHost as reason:
        without_host(str(reason))
        raise


@pytest.fixture(scope="session")
def node_definitions(comfy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """The pack's nodes as a host describes them to its front end (the form of /object_info)."""
    try:
        return run_in_host(comfy_folder, REPO / "tests" / "host_definitions.py", tmp_path_factory.mktemp("definitions"))
    except NoHost as reason:
        without_host(str(reason))
        raise


@pytest.fixture(scope="session")
def comfy(comfy_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyServer]:
    """A running host with the pack installed."""
    server = ComfyServer(comfy_folder, tmp_path_factory.mktemp("comfy"))
    try:
        server.wait_until_ready()
        yield server
    except NoHost as reason:
        without_host(str(reason))
    finally:
        server.stop()


@pytest.fixture(scope="session")
def demo_clip() -> Path:
    """The licence-clean talking clip that comes with the package."""
    return REPO / "thfem_core" / "assets" / "demo.mp4"


@pytest.fixture(scope="session")
def talking_clip(demo_clip: Path) -> Path:
    """A real talking person where the test data is at hand, else the demo clip."""
    data = Path(os.environ.get("THFEM_TEST_DATA", REPO.parent / "shared" / "data"))
    real = data / "full" / "LivePortrait__d12.mp4"
    return real if real.is_file() else demo_clip


@pytest.fixture(scope="session")
def published_eat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with EAT's files as they are published, weights random; gone at the end."""
    from published_heads import write_published_eat

    folder = tmp_path_factory.mktemp("published_eat")
    write_published_eat(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def converted_eamm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with EAMM's converted checkpoint, weights random; gone at the end."""
    from published_heads import write_converted_eamm

    folder = tmp_path_factory.mktemp("converted_eamm")
    write_converted_eamm(folder)
    yield folder
    shutil.rmtree(folder)
