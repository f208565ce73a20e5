"""The losses of Eq. 6-10, and the sync expert they listen to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from thfem_core.errors import WeightsError
from thfem_core.metrics.judges.wav2lip.network import Wav2LipExpert
from training.losses import (
    PYRAMID,
    AdversarialLoss,
    MouthDiscriminator,
    PerceptualLoss,
    pixel_loss,
    smaller,
    sync_loss,
)
from training.sync_expert import load_expert, lower_faces

# Output channels of the convolutions by their place among torchvision's layers; pools at the places left out.
VGG16 = dict.fromkeys((0, 2), 64) | dict.fromkeys((5, 7), 128) | dict.fromkeys((10, 12, 14), 256)
VGG16 |= dict.fromkeys((17, 19, 21, 24, 26, 28), 512)
VGG19 = dict.fromkeys((0, 2), 64) | dict.fromkeys((5, 7), 128) | dict.fromkeys((10, 12, 14, 16), 256)
VGG19 |= dict.fromkeys((19, 21, 23, 25, 28, 30, 32, 34), 512)


def vgg_state(layers: dict[int, int], drawn: int) -> dict[str, torch.Tensor]:
    """Random weights in the first ``drawn`` convolutions, zeros in the rest, half precision."""
    torch.manual_seed(0)
    state, channels = {}, 3
    for number, (layer, width) in enumerate(layers.items()):
        make = torch.randn if number < drawn else torch.zeros
        state[f"features.{layer}.weight"] = (make(width, channels, 3, 3) / (3 * channels**0.5)).half()
        state[f"features.{layer}.bias"] = torch.zeros(width).half()
        channels = width
    return state


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """VGG16 as training.convert_lpips writes it; VGG19 as torchvision does, with its classifier."""
    folder = tmp_path_factory.mktemp("vgg")
    save_file(vgg_state(VGG16, 4), folder / "vgg16.safetensors")
    torch.save({**vgg_state(VGG19, 4), "classifier.0.weight": torch.zeros(2, 2)}, folder / "vgg19.pth")
    return lambda name: next(folder.glob(f"{name}.*"))


@pytest.mark.parametrize(("name", "layers"), [("vgg16", VGG16), ("vgg19", VGG19)])
def test_perceptual_loss_reads_both_layouts(vgg_file: Callable[[str], Path], name: str, layers: dict) -> None:
    whole = PerceptualLoss(vgg_file(name), depth=5)
    assert [i for i, layer in enumerate(whole.features) if isinstance(layer, nn.Conv2d)] == list(layers)
    two = PerceptualLoss(vgg_file(name), depth=2)
    assert sum(isinstance(layer, nn.Conv2d) for layer in two.features) == 4
    assert not any(weight.requires_grad for weight in two.parameters())
    stored = vgg_state(layers, 4)["features.5.weight"].float()
    assert torch.equal(two.features[5].weight, stored)


def test_perceptual_loss_of_one_block_by_hand(vgg_file: Callable[[str], Path]) -> None:
    loss = PerceptualLoss(vgg_file("vgg16"), depth=1)
    drawn, true = torch.rand(2, 2, 3, 16, 16)
    state = {name: value.float() for name, value in vgg_state(VGG16, 4).items()}

    def features(picture: torch.Tensor) -> torch.Tensor:
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        x = (picture - mean[:, None, None]) / std[:, None, None]
        for layer in (0, 2):
            x = torch.conv2d(x, state[f"features.{layer}.weight"], padding=1).relu()
        return x / x.norm(dim=1, keepdim=True)

    by_hand = (features(drawn) - features(true)).square().sum(dim=1).mean()
    torch.testing.assert_close(loss(drawn, true), by_hand)
    assert float(loss(true, true)) == 0
    assert float(loss(drawn, true)) == pytest.approx(float(loss(true, drawn)))
    drawn.requires_grad_(True)
    loss(drawn, true).backward()
    assert float(drawn.grad.abs().sum()) > 0


@pytest.mark.parametrize("content", [{"features.0.weight": torch.zeros(64, 3, 3, 3)}, {"net.0.weight": torch.zeros(1)}])
def test_another_file_instead_of_vgg_is_one_clear_line(tmp_path: Path, content: dict) -> None:
    save_file(content, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="is of another architecture") as caught:
        PerceptualLoss(tmp_path / "other.safetensors")
    assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match=r"none\.pth is missing; .*training\.convert_lpips"):
        PerceptualLoss(tmp_path / "none.pth")


def test_pixel_loss_is_the_weighted_mean_of_differences() -> None:
    true = torch.zeros(1, 3, 2, 2)
    drawn = torch.tensor([[0.4, 0.2], [0.0, 1.0]]).expand(1, 3, 2, 2)
    assert float(pixel_loss(drawn, true, torch.ones(1, 1, 2, 2))) == pytest.approx(0.4)
    weight = torch.tensor([[1.0, 3.0], [0.0, 0.0]])[None, None]
    assert float(pixel_loss(drawn, true, weight)) == pytest.approx((0.4 + 3 * 0.2) / 4)
    assert float(pixel_loss(drawn, true, torch.zeros(1, 1, 2, 2))) == 0


def test_sync_loss_is_minus_the_logarithm_of_the_cosine() -> None:
    a = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert float(sync_loss(a, 3 * a)) == pytest.approx(0, abs=1e-6)
    sixty = torch.tensor([[0.5, 3**0.5 / 2]])
    assert float(sync_loss(torch.tensor([[2.0, 0.0]]), sixty)) == pytest.approx(torch.log(torch.tensor(2.0)).item())
    assert float(sync_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), epsilon=1e-2)) == pytest.approx(
        4.605, abs=1e-3
    )


@pytest.mark.parametrize("kind", ["hinge", "log"])
def test_adversarial_losses(kind: str) -> None:
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.5])
    loss = AdversarialLoss(nn.Identity(), weight=0.1, kind=kind)
    ours, theirs = float(loss.generator_loss(fake)), float(loss(real, fake))
    if kind == "hinge":
        assert (ours, theirs) == pytest.approx((1.25, (0 + 0.5) / 2 + (0 + 1.5) / 2))
    else:  # Eq. 10 with D the sigmoid of the score
        assert ours == pytest.approx(float(-torch.sigmoid(fake).log().mean()), rel=1e-5)
        printed = torch.sigmoid(real).log().mean() + (1 - torch.sigmoid(fake)).log().mean()
        assert theirs == pytest.approx(-float(printed), rel=1e-5)


def test_a_discriminator_keeps_no_gradient_of_the_generators_turn() -> None:
    loss = AdversarialLoss(nn.Linear(2, 1), weight=0.1)
    fake = torch.randn(3, 2, requires_grad=True)
    loss.generator_loss(fake).backward()
    assert fake.grad is not None and all(weight.grad is None for weight in loss.parameters())
    assert all(weight.requires_grad for weight in loss.parameters())


def test_the_papers_perceptual_loss_sums_layers_and_scales(vgg_file: Callable[[str], Path]) -> None:
    """Mean L1 at the first ReLU of each block, over the pyramid."""
    path = vgg_file("vgg19")
    loss = PerceptualLoss(path, depth=5, scales=PYRAMID)
    assert loss.taps == (1, 6, 11, 20, 29)
    drawn, true = torch.rand(2, 1, 3, 128, 128)
    parts = [PerceptualLoss(path, depth=5, scales=(1,))(smaller(drawn, s), smaller(true, s)) for s in PYRAMID]
    torch.testing.assert_close(loss(drawn, true), torch.stack(parts).sum())


def test_the_pyramid_keeps_flat_pictures_and_every_nth_pixel() -> None:
    flat = torch.full((1, 3, 64, 64), 0.4)
    for factor in PYRAMID:
        small = smaller(flat, factor)
        assert small.shape[-1] == 64 // factor
        assert float(small[..., 64 // factor // 2, 64 // factor // 2].mean()) == pytest.approx(0.4, abs=1e-6)
    assert smaller(torch.eye(64)[None, None], 4).shape == (1, 1, 16, 16)


def test_the_discriminator_judges_patches_and_cannot_blow_up() -> None:
    """Spectral norm: once its power iteration has settled, no convolution stretches anything by more than 1."""
    torch.manual_seed(0)
    discriminator = MouthDiscriminator(width=8)
    with torch.no_grad():
        for layer in discriminator.layers:
            if isinstance(layer, nn.Conv2d):
                layer.parametrizations.weight.original.mul_(50)
        for _ in range(60):
            judged = discriminator(torch.rand(2, 3, 64, 64))
        assert judged.shape == (2, 1, 8, 8)
        for layer in discriminator.eval().layers:
            if isinstance(layer, nn.Conv2d):
                assert float(torch.linalg.matrix_norm(layer.weight.flatten(1), 2)) == pytest.approx(1, abs=0.05)


def test_lower_faces_are_taken_frame_by_frame() -> None:
    windows = torch.zeros(2, 5, 3, 168, 168)
    windows[0, 3, 1, 60:] = 1.0  # green, fourth frame, lower part
    faces = lower_faces(windows)
    assert faces.shape == (2, 15, 48, 96)
    assert [int(i) for i in faces.flatten(2).sum(dim=2).nonzero()[:, 1]] == [3 * 3 + 1]
    assert float(faces[0, 10, -1].mean()) == pytest.approx(1) and float(faces[0, 10, 0].mean()) == pytest.approx(0)


def test_wav2lips_expert_judges_pictures(tmp_path: Path) -> None:
    """Its file as published; it wants blue, green, red."""
    torch.manual_seed(1)
    official = Wav2LipExpert().eval()
    torch.save({"state_dict": official.state_dict(), "optimizer": {"lr": 1.0}}, tmp_path / "lipsync_expert.pth")
    expert = load_expert(tmp_path / "lipsync_expert.pth", instead="leave it out")
    faces, sound = torch.rand(1, 15, 48, 96), torch.randn(1, 1, 80, 16)
    swapped = faces[:, [2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 14, 13, 12]]
    assert not expert.training and not any(weight.requires_grad for weight in expert.parameters())
    with torch.no_grad():
        torch.testing.assert_close(expert.embed_lips(faces), official.embed_face(swapped))
        torch.testing.assert_close(expert.embed_sound(sound), official.embed_sound(sound))


def test_no_expert_or_another_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"there is no file .*; get lipsync_expert\.pth of Wav2Lip .*, or leave"):
        load_expert(tmp_path / "lipsync_expert.pth", instead="leave it out")
    save_file({"face_out.weight": torch.zeros(8, 3)}, tmp_path / "sync.safetensors")
    with pytest.raises(WeightsError, match="another architecture") as caught:
        load_expert(tmp_path / "sync.safetensors", instead="leave it out")
    assert "\n" not in str(caught.value)
