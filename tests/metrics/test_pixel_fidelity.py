"""PSNR and SSIM agree with another implementation, and with what can be computed by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from thfem_core.errors import InputError
from thfem_core.metrics.pixel_fidelity import psnr, ssim


def picture(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 255, (64, 48, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2.0)


def noisy(image: np.ndarray, amount: float) -> np.ndarray:
    noise = np.random.default_rng(9).normal(scale=amount, size=image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_a_picture_equals_itself_and_noise_costs() -> None:
    image = picture()
    assert psnr(image, image) == float("inf") and ssim(image, image) == pytest.approx(1.0)
    mild, strong = noisy(image, 3), noisy(image, 20)
    assert psnr(image, mild) > psnr(image, strong) and ssim(image, mild) > ssim(image, strong)


def test_psnr_of_a_constant_error() -> None:
    image = np.full((12, 12, 3), 100, np.uint8)
    assert psnr(image, image + 5) == pytest.approx(20 * np.log10(255 / 5))


@pytest.mark.parametrize("amount", [2.0, 15.0])
def test_torchmetrics_agrees(amount: float) -> None:
    reference = pytest.importorskip("torchmetrics.functional.image", reason="torchmetrics is a test-only oracle")
    a, b = picture(), noisy(picture(), amount)
    x, y = (torch.from_numpy(image).permute(2, 0, 1)[None].double() for image in (b, a))
    assert psnr(a, b) == pytest.approx(float(reference.peak_signal_noise_ratio(x, y, data_range=255.0)), rel=1e-6)
    _, by_place = reference.structural_similarity_index_measure(x, y, data_range=255.0, return_full_image=True)
    assert ssim(a, b) == pytest.approx(float(by_place[..., 5:-5, 5:-5].mean()), abs=1e-6)  # it pads, Wang et al. do not


def test_pictures_that_do_not_compare_are_refused() -> None:
    with pytest.raises(InputError, match="one size"):
        psnr(picture(), picture()[:10])
    with pytest.raises(InputError, match="11 × 11"):
        ssim(picture()[:5], picture()[:5])
