"""SSERD's networks against goldens of the published code, on weights filled by formula.

The whole network has 341 M parameters: filling and running it takes minutes, so it is compared by hand
(``THFEM_FULL_SIZE=1 pytest tests/expression/sserd``), and its blocks always.
"""

from __future__ import annotations

import os

import pytest
import torch
import torch.nn.functional as F
from liveportrait_material import filled_state, rng, wave
from ned_material import assert_close, golden, manifests, sampled, shapes
from torch import Tensor, nn

from thfem_core.expression.sserd.attention import CrossAttention, EmotionTransformer
from thfem_core.expression.sserd.fusion import Fusion
from thfem_core.expression.sserd.modulated import ModulatedConv, StyledConv, ToRgb, fir_kernel, upfirdn
from thfem_core.expression.sserd.networks import Sserd

STORED = golden("sserd")
MAPS, CODES, PICTURE = wave((2, 512, 16, 16), 0, 1), wave((2, 512), 0.2, 1), wave((2, 3, 16, 16), 0, 1)


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


def sserd_state(network: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    """Layers that scale their weights when used are filled with plain normal numbers; filters stay as they are."""
    own = {prefix + key: value for key, value in network.state_dict().items()}
    kept = {key: value for key, value in own.items() if key.endswith(("kernel", "blur_weight"))}
    state = filled_state({key: list(value.shape) for key, value in own.items()}, kept=kept)
    for key, value in state.items():
        normal = rng(key).standard_normal(tuple(value.shape))
        if key in kept:
            continue
        if key.endswith("modulation.bias"):
            normal = 1 + 0.05 * normal
        elif key.endswith("noise.weight"):
            normal = 0.1 * normal
        elif key.startswith("decoder.style.") and key.endswith(".weight"):
            normal = 100 * normal
        elif not (
            key.endswith("modulation.weight")
            or value.dim() == 5
            or key.startswith("decoder.noises.")
            or (key.startswith("encoder.styles.") and key.endswith(".linear.weight"))
        ):
            continue
        state[key] = torch.from_numpy(normal).float().reshape(value.shape)
    return {key.removeprefix(prefix): value for key, value in state.items()}


def filled(network: nn.Module, prefix: str) -> nn.Module:
    network.load_state_dict(sserd_state(network, prefix))
    return network.eval()


def check(values: Tensor, name: str, tolerance: float = 1e-4) -> None:
    if f"{name}_slice" in STORED:
        assert_close(sampled(values, STORED, name), STORED[f"{name}_slice"], tolerance)
    else:
        assert_close(values, STORED[name], tolerance)


@pytest.mark.parametrize("part", ["encoder", "decoder", "cross_attention", "transformer"])
def test_state_dicts_are_the_published_ones(part: str) -> None:
    with torch.device("meta"):
        network = Sserd()
    own = {key: shape for key, shape in shapes(network).items() if key.startswith(f"{part}.")}
    assert own == manifests()[f"sserd_{part}"]["keys"]
    parameters = sum(parameter.numel() for parameter in getattr(network, part).parameters())
    assert parameters == manifests()[f"sserd_{part}"]["parameters"]


def test_parameters_are_those_of_the_papers_table() -> None:
    count = sum(manifests()[f"sserd_{part}"]["parameters"] for part in ("encoder", "decoder"))
    count += sum(manifests()[f"sserd_{part}"]["parameters"] for part in ("cross_attention", "transformer"))
    assert round(count / 1e6, 2) == 341.34


@pytest.mark.parametrize(
    ("attention", "picture", "keys"), [(True, True, 938), (True, False, 924), (False, True, 882), (False, False, 868)]
)
def test_variants_have_the_published_numbers_of_keys(attention: bool, picture: bool, keys: int) -> None:
    with torch.device("meta"):
        assert len(Sserd(attention=attention, picture=picture).state_dict()) == keys


def test_upfirdn() -> None:
    x, kernel = wave((1, 2, 7, 5), 0, 1), fir_kernel()
    check(upfirdn(x, kernel, up=(2, 2), pad=(2, 1)), "ufd_up2")
    check(upfirdn(x, kernel, pad=(1, 1)), "ufd_blur")
    check(upfirdn(x, kernel / 4, down=(2, 2), pad=(1, 1)), "ufd_down2")
    kernel = wave((3, 4), 0.1, 1)
    check(upfirdn(x, kernel, up=(2, 2), pad=(2, 1)), "ufd_asym")
    check(upfirdn(x, kernel, up=(2, 1), down=(1, 2), pad=(-1, 3)), "ufd_asym_neg")


@pytest.mark.parametrize(
    ("name", "layer", "dilation", "enlarging"),
    [
        ("mod_plain_d8", "conv1", 8, False),
        ("mod_plain_d4", "convs.1", 4, False),
        ("mod_plain_d1", "convs.5", 1, False),
        ("mod_up_d8", "convs.0", 8, True),
        ("mod_up_d4", "convs.2", 4, True),
        ("mod_up_d2", "convs.4", 2, True),
        ("mod_up_true", "convs.6", 1, True),
    ],
)
def test_modulated_convolutions(name: str, layer: str, dilation: int, enlarging: bool) -> None:
    network = ModulatedConv(512, 512, 3, dilation=dilation, enlarging=enlarging)
    check(filled(network, f"decoder.{layer}.conv.")(MAPS, CODES), name)


def test_styled_convolution() -> None:
    noise = torch.from_numpy(rng("decoder.noises.noise_0").standard_normal((1, 1, 4, 4))).float()
    check(filled(StyledConv(512, 512, dilation=8), "decoder.conv1.")(MAPS, CODES, noise), "styled_noise")


def test_pictures_of_levels() -> None:
    check(filled(ToRgb(512, dilation=None), "decoder.to_rgb1.")(MAPS, CODES), "rgb_first")
    check(filled(ToRgb(512, dilation=8), "decoder.to_rgbs.0.")(MAPS, CODES, PICTURE), "rgb_d8")
    check(filled(ToRgb(512, dilation=2), "decoder.to_rgbs.2.")(MAPS, CODES, PICTURE), "rgb_d2")
    large = wave((2, 512, 32, 32), 0, 1)
    check(filled(ToRgb(512, dilation=1), "decoder.to_rgbs.3.")(large, CODES, PICTURE), "rgb_up")


def test_fusion() -> None:
    fusion = filled(Fusion(128, 512), "encoder.fusion.4.")
    given = (wave((1, 128, 16, 16), 0, 1), wave((1, 512, 16, 16), 0.1, 1), wave((1, 3, 16, 16), 0, 1))
    for name, query in (("fusion_edit", wave((1, 512), 0, 1)), ("fusion_plain", None)):
        merged, picture = fusion(*given, query)
        check(merged, f"{name}_out")
        check(picture, f"{name}_skip")


def test_emotion_attention() -> None:
    attended = filled(CrossAttention(), "cross_attention.")(wave((2, 18, 512), 0, 1), wave((2, 18, 512), 0.3, 0.7))
    check(attended, "cross_att")
    check(filled(EmotionTransformer(), "transformer.")(attended), "emo_latent")


@pytest.mark.skipif(not os.environ.get("THFEM_FULL_SIZE"), reason="341 M parameters: THFEM_FULL_SIZE=1 runs it")
def test_from_picture_to_picture() -> None:
    network = Sserd()
    network.load_state_dict(sserd_state(network))
    network.eval().latent_avg = 0.5 * wave((18, 512), 0, 1)
    source, reference = (sine_picture(name) * 2 - 1 for name in ("sserd.S", "sserd.D"))
    read, codes = network.encoder(source), network.encoder(reference).codes
    check(read.codes, "enc_codes")
    check(read.features, "enc_f")
    for level, skip in enumerate(read.skips):
        check(skip, f"enc_skip{level}")
    drawn = network.edited(source, codes)
    check(drawn, "full_zero", 1e-3)
    check(F.interpolate(drawn, size=(256, 256), mode="bilinear"), "full_zero_256", 1e-3)
    check(network.edited(source, codes, noise="fixed"), "full_noise", 1e-3)
    check(network.edited(source, None), "full_recon", 1e-3)
    for fusion in network.encoder.fusion:
        fusion.fusion_skip = None
    check(network.edited(source, codes), "full_notorgb", 1e-3)


def sine_picture(name: str) -> Tensor:
    """(1, 3, 256, 256) in 0..1: a smooth wave per plane and 5 % noise."""
    import numpy as np

    random = rng(f"image:{name}")
    row, column = np.mgrid[:256, :256]
    planes = np.empty((1, 3, 256, 256))
    for plane in planes[0]:
        fx, fy, phase = random.uniform(0.02, 0.12), random.uniform(0.02, 0.12), random.uniform(0, 6.28)
        plane[:] = 0.5 + 0.35 * np.sin(fx * column + phase) * np.cos(fy * row - phase)
    planes += 0.05 * random.standard_normal(planes.shape)
    return torch.from_numpy(np.clip(planes, 0, 1).astype(np.float32))
