"""LPIPS with a backbone file of torchvision's layout gives what the lpips package gives."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from thfem_core.errors import WeightsError
from thfem_core.metrics.judges.lpips import judge as module
from thfem_core.metrics.judges.spec import judges


def test_the_backbone_file_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = pytest.importorskip("torchvision.models", reason="the lpips package builds its backbone with torchvision")
    import lpips

    layers = models.vgg.make_layers(models.vgg.cfgs["D"])  # without the 124 M numbers of the classifier
    monkeypatch.setattr(models, "vgg16", lambda **_: SimpleNamespace(features=layers))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False).eval()
    generator = torch.Generator().manual_seed(0)
    for value in reference.net.parameters():
        value.data.normal_(0, 0.05, generator=generator)
    state = {f"features.{key.split('.', 1)[1]}": value.clone() for key, value in reference.net.state_dict().items()}
    path = tmp_path / "vgg16-397923af.pth"
    monkeypatch.setattr(module, "locate_file", lambda *_, **__: path)
    torch.save(state | {"classifier.0.bias": torch.zeros(4096)}, path)
    a, b = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3)).astype(np.uint8)
    with torch.inference_mode():
        x, y = (torch.from_numpy(p).permute(2, 0, 1)[None].float() / 127.5 - 1 for p in (a, b))
        wanted = float(reference(x, y))
    for value in layers.parameters():  # the networks made here share these layers: what counts is the file
        value.data.zero_()
    judge = judges.create("lpips")
    assert judge.distance(a, a) == pytest.approx(0.0, abs=1e-6)
    assert judge.distance(a, b) == pytest.approx(wanted, rel=1e-4) and wanted > 0.01
    torch.save({"features.0.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="is not torchvision's VGG16"):
        judges.create("lpips")
