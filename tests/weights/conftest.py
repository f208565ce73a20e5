"""A hub on loopback, a manifest with made-up models on it, and an empty machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Hub, running_hub

from thfem_core.weights import manifest
from thfem_core.weights.manifest import Model, ModelFile

CONTENT = bytes(range(256)) * 5000  # 1.3 MB: more than fits into the buffers of a connection that breaks
REVISION = "a" * 40


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder of a machine that has no other model anywhere."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.delenv("THFEM_MODELS", raising=False)
    return tmp_path / "models"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Holds ``known`` (size and sha256 in the manifest), ``unknown`` (neither), ``gone`` and a plain web file."""
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 2**16)  # as if the file were 100 times larger
    digest = hashlib.sha256(CONTENT).hexdigest()
    with running_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        hub.files = {
            f"someone/known/resolve/{REVISION}/net.pth": CONTENT,
            "someone/unknown/resolve/main/net.pth": CONTENT,
            "files/net.pth": CONTENT,
        }
        terms = {"purpose": "tests", "licence": "CC BY-NC 4.0", "commercial": False, "link": "https://example.org/page"}
        net = ModelFile(role="weights", names=("net.pth",))
        known = ModelFile(role="weights", names=("net.pth",), size=len(CONTENT), sha256=digest[:12])
        monkeypatch.setattr(
            manifest,
            "MODELS",
            (
                Model(name="known", origin="hub", repo="someone/known", revision=REVISION, files=(known,), **terms),
                Model(name="unknown", origin="hub", repo="someone/unknown", files=(net,), **terms),
                Model(name="gone", origin="hub", repo="someone/gone", files=(net,), **terms),
                Model(name="web", origin="web", files=(known,), **terms | {"link": f"{hub.address}/files/net.pth"}),
                Model(
                    name="manual",
                    origin="manual",
                    files=(
                        ModelFile(role="checkpoint", converted="manual.safetensors", names=("new.pth", "old.pth")),
                        ModelFile(role="extra", names=("extra.npy",), required=False),
                    ),
                    **terms,
                ),
            ),
        )
        yield hub
