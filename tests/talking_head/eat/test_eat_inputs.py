"""What EAT is shown: pose pictures, sound and speech features per step."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from filled import golden
from hypothesis import given
from hypothesis import strategies as st

from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError
from thfem_core.talking_head.eat.head_pose import HeadPoseEstimate
from thfem_core.talking_head.eat.pose_image import box_corners, pose_images
from thfem_core.talking_head.eat.speech_features import read_logits
from thfem_core.talking_head.eat.timeline import Timeline, speech_window, speech_windows

SILENCE = np.full((16, 29), -7.0, np.float32)
LOGITS = np.random.default_rng(1).standard_normal((50, 29)).astype(np.float32)


def stored_poses() -> HeadPoseEstimate:
    stored = golden("frontend_pose_crop")
    logits = [torch.from_numpy(stored[f"he_{angle}"]) for angle in ("yaw", "pitch", "roll")]
    return HeadPoseEstimate(*logits, torch.from_numpy(stored["he_t"]), torch.zeros(5, 45))


def test_pose_pictures() -> None:
    """Loosely, since the drawing of lines is OpenCV's and may change; most pixels must agree."""
    difference = np.abs(pose_images(stored_poses()).numpy() - golden("frontend_pose_crop")["poseimg"])
    assert np.mean(difference > 8) < 0.02


def test_corners_beside_the_camera_are_finite() -> None:
    poses = stored_poses()._replace(translation=torch.zeros(5, 3))
    assert np.abs(box_corners(poses)).max() <= 2**28
    assert torch.isfinite(pose_images(poses)).all()


def published_windows(logits: np.ndarray) -> np.ndarray:
    """As EAT's own preparation writes them: 16 rows around every second row, zeros beyond the ends."""
    padded = np.pad(logits, ((8, 8), (0, 0)))
    return np.stack([padded[start : start + 16] for start in range(0, len(logits), 2)])


@given(st.integers(0, 40))
def test_at_25_frames_per_second_windows_are_the_published_ones(frame: int) -> None:
    timeline = Timeline(frame_rate=Fraction(25))
    rows = [step.row for step in timeline.steps(frame)]
    assert [step.pose for step in timeline.steps(frame)] == list(range(frame - 5, frame + 6))
    assert rows == [2 * k for k in range(frame - 5, frame + 6)]
    published = published_windows(LOGITS)
    ours = speech_windows(LOGITS, rows, SILENCE).numpy()
    for window, row in zip(ours, rows, strict=True):
        inside = 0 <= row < len(LOGITS)
        np.testing.assert_allclose(window, published[int(row) // 2] if inside else SILENCE, atol=1e-6)


@given(st.sampled_from([Fraction(30), Fraction(24000, 1001), Fraction(50), Fraction(12)]), st.integers(0, 500))
def test_other_rates_hear_the_same_moments(rate: Fraction, frame: int) -> None:
    timeline = Timeline(frame_rate=rate)
    for k, step in zip(range(-5, 6), timeline.steps(frame), strict=True):
        assert step.row == 50 * frame / rate + 2 * k
        assert abs(Fraction(step.pose) / rate - (frame / rate + Fraction(k, 25))) <= 1 / (2 * rate)
        assert abs(step.pose - frame) <= timeline.reach


def test_rows_between_rows_are_interpolated() -> None:
    half = speech_window(LOGITS, Fraction(41, 2), SILENCE)
    np.testing.assert_allclose(half, (LOGITS[12:28] + LOGITS[13:29]) / 2, atol=1e-6)


def test_thfem_reads_two_rows_and_540_samples_per_frame() -> None:
    timeline = Timeline(frame_rate=Fraction(30), timing="thfem-compat")
    steps = timeline.steps(10)
    assert [step.pose for step in steps] == list(range(4, 15))
    assert [step.row for step in steps] == list(range(10, 32, 2))
    pulse = np.zeros(16000, np.float32)
    pulse[540 * 10] = 1.0
    speech = Speech(pulse, 0.1)
    energy = timeline.mel(speech, [10, 12]).sum(dim=(1, 2))
    assert energy.argmax(dim=1).tolist() == [5, 3]


def test_mel_steps_are_40_ms_at_any_rate() -> None:
    pulse = np.zeros(32000, np.float32)
    pulse[16000] = 1.0
    energy = Timeline(frame_rate=Fraction(50)).mel(Speech(pulse, 0.1), [50, 54]).sum(dim=(1, 2))
    assert energy.shape == (2, 11)
    assert energy.argmax(dim=1).tolist() == [5, 3]


def test_features_from_files(tmp_path: Path) -> None:
    np.save(tmp_path / "logits.npy", LOGITS)
    np.testing.assert_array_equal(read_logits(tmp_path / "logits.npy"), LOGITS)
    windows = published_windows(LOGITS)
    np.save(tmp_path / "windows.npy", windows)
    restored = read_logits(tmp_path / "windows.npy")
    np.testing.assert_allclose(restored[:50], LOGITS, atol=1e-6)
    np.save(tmp_path / "other.npy", np.zeros((3, 4)))
    with pytest.raises(InputError, match=r"other\.npy has the shape \(3, 4\)"):
        read_logits(tmp_path / "other.npy")
    (tmp_path / "text.npy").write_text("no array")
    with pytest.raises(InputError, match="cannot be read"):
        read_logits(tmp_path / "text.npy")
