"""A whole comparison: a copy is perfect, each kind of damage moves its own measures, and odd clips are explained."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from fakes import Flicker, MeanColour

from thfem_core.errors import InputError
from thfem_core.face.models import FaceModels, default_face_models
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import Sound
from thfem_core.metrics.comparison import Comparison, ComparisonConfig, compare_clips
from thfem_core.metrics.judges.choosing import Judges

COUNT = 14


@pytest.fixture(scope="module")
def faces() -> FaceModels:
    return default_face_models(torch.device("cpu"))


@pytest.fixture(scope="module")
def pictures(demo_clip: Path) -> np.ndarray:
    """(T, 256, 256, 3): every third frame of a talking face, so that the lips move much."""
    video = FileVideo(demo_clip, duration=Fraction(3 * COUNT, 25))
    return np.stack([cv2.resize(f.rgb(), (256, 256), interpolation=cv2.INTER_AREA) for f in video.frames()])[::3]


def clip(pictures: np.ndarray, name: str = "clip", *, rate: int = 25, sound: Sound | None = None) -> ArrayVideo:
    return ArrayVideo(pictures, Fraction(rate), name, sound)


def noise(seconds: float) -> Sound:
    samples = np.random.default_rng(0).normal(scale=0.1, size=(1, round(16000 * seconds))).astype(np.float32)
    return Sound(samples, 16000)


def compared(faces: FaceModels, source: ArrayVideo, output: ArrayVideo, **options) -> Comparison:
    config = ComparisonConfig(every=1, pixels_every=2, pictures=2)
    return compare_clips(source, output, faces=faces, config=config, **options)


def numbers(comparison: Comparison, family: int = 0) -> dict[str, float]:
    return {value.measure.key: value.value for _, value in comparison.families[family].values}


def test_a_copy_is_perfect(faces, pictures) -> None:
    judges = Judges(extractors=[MeanColour(), MeanColour("expression")])
    source = clip(pictures)
    found = compared(
        faces, source, clip(pictures), judges=judges, reference=source, truth=source, target_emotion="happy"
    )
    mesh, stand_ins = numbers(found), numbers(found, 1)
    assert mesh["aperture_r"] == pytest.approx(1.0) and mesh["width_r"] == pytest.approx(1.0)
    assert mesh["aperture_lag"] == 0 and mesh["jitter_ratio"] == 1.0
    assert mesh["closures_kept"] in (1.0, pytest.approx(float("nan"), nan_ok=True))
    for key in ("lip_distance", "lip_motion", "added_jitter", "seam_step", "outside"):
        assert mesh[key] == pytest.approx(0.0, abs=1e-6), key
    assert mesh["psnr"] == 100.0 and mesh["ssim"] == pytest.approx(1.0)
    assert stand_ins["identity"] == pytest.approx(1.0) and stand_ins["csim"] == pytest.approx(1.0)
    target = next(v for _, v in found.families[1].values if v.measure.key == "target")
    assert target.value == pytest.approx(target.source)
    assert (
        found.notes == ("clip has no sound; lips and sound were not compared",)
        and found.frames == COUNT
        and len(found.pictures) == 2
    )


def test_frozen_lips_are_seen_as_such(faces, pictures) -> None:
    found = numbers(compared(faces, clip(pictures), clip(np.repeat(pictures[:1], COUNT, axis=0))))
    assert not found["aperture_r"] > 0.5 and found["lip_motion"] > 0.5


def test_a_late_picture_is_seen_as_a_lag(faces, pictures) -> None:
    found = numbers(compared(faces, clip(pictures), clip(np.roll(pictures, 2, axis=0))))
    assert found["aperture_lag"] == 2 and found["aperture_best_r"] > 0.99


def test_changed_colours_move_pixels_and_features_but_not_the_lips(faces, pictures) -> None:
    tinted = np.clip(pictures + np.array([30, 0, -20]), 0, 255).astype(np.uint8)
    found = compared(faces, clip(pictures), clip(tinted), judges=Judges(extractors=[MeanColour(official=True)]))
    mesh, official = numbers(found), numbers(found, 1)
    assert mesh["outside"] > 8 and mesh["aperture_r"] > 0.9 and mesh["lip_motion"] < 2
    assert official["identity"] < 0.999 and official["fad"] > 100
    assert official["fad_unit"] < official["fad"]


def test_official_and_offline_networks_never_share_a_table(faces, pictures) -> None:
    judges = Judges(extractors=[MeanColour(official=True), MeanColour()])
    found = compared(faces, clip(pictures), clip(pictures), judges=judges)
    assert [family.title.split()[0] for family in found.families] == ["Landmarks", "Networks", "Offline"]
    assert "fad" in numbers(found, 1) and "fad" not in numbers(found, 2)


def test_a_longer_reference_is_read_to_its_end(faces, pictures) -> None:
    judge, seen = MeanColour("expression"), []
    judge.features = lambda crops, plain=judge.features: seen.append(len(crops)) or plain(crops)
    short = clip(pictures[:4])
    compared(faces, short, short, judges=Judges(extractors=[judge]), reference=clip(pictures))
    assert sum(seen) == 4 + 4 + COUNT


def test_clips_without_sound_with_two_faces_or_other_length_are_explained(faces, pictures) -> None:
    pair = np.concatenate([pictures, pictures[:, :, ::-1]], axis=2)
    found = compared(faces, clip(pair, "two"), clip(pair[:-2], "cut", sound=noise(1)), judges=Judges(sync=[Flicker()]))
    notes = "\n".join(found.notes)
    assert "two is longer; the first 12 frames of cut were compared" in notes
    assert "two shows up to 2 faces; the largest is measured" in notes
    assert "two has no sound; lips and sound were not compared" in notes
    assert [v.value == v.value for _, v in found.families[1].values] == [True] * 3
    assert all("\n" not in line for line in found.notes)


def test_another_rate_and_size_pair_by_time_and_leave_pixels_out(faces, pictures) -> None:
    doubled = np.repeat(pictures, 2, axis=0)[:, ::2, ::2]
    found = compared(faces, clip(pictures, "a"), clip(doubled, "b", rate=50))
    assert numbers(found)["aperture_r"] > 0.8 and "seam_step" not in numbers(found)
    assert any("paired by time" in line for line in found.notes)
    assert any("measures that compare pixels are left out" in line for line in found.notes)


def test_an_output_without_a_face_is_a_finding_and_a_source_without_one_an_error(faces, pictures) -> None:
    plain = np.full_like(pictures, 90)
    found = compared(faces, clip(pictures), clip(plain, "blank"), judges=Judges(extractors=[MeanColour()]))
    assert np.isnan(numbers(found)["aperture_r"]) and np.isnan(numbers(found, 1)["identity"])
    assert any("no face found in blank" in line for line in found.notes)
    with pytest.raises(InputError, match="no face found in blank"):
        compared(faces, clip(plain, "blank"), clip(pictures))


def test_bad_values_are_refused(faces, pictures) -> None:
    with pytest.raises(InputError, match="choose one of: neutral"):
        compared(faces, clip(pictures), clip(pictures), target_emotion="hapy")
    with pytest.raises(InputError, match="1 or more"):
        ComparisonConfig(every=0)
    with pytest.raises(InputError, match="one size"):
        compared(faces, clip(pictures), clip(pictures), truth=clip(pictures[:, :100]))


def test_cancelling_closes_the_clips(faces, pictures) -> None:
    closed = []

    class Watched(ArrayVideo):
        def frames(self):
            try:
                yield from super().frames()
            finally:
                closed.append(self.info.name)

    class Cancelled(BaseException):
        pass

    def cancel(stage: str, done: int, total: int | None) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        compared(faces, Watched(pictures, Fraction(25), "a"), Watched(pictures, Fraction(25), "b"), progress=cancel)
    assert sorted(closed) == ["a", "b"]
