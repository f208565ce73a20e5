"""SSERD around its networks: what they see, where their pictures go, and reading the checkpoint's variants."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from made_up_track import MadeUpTrack, talking_face, textured_frames
from ned_material import constant_state, shapes
from torch import Tensor, nn

from thfem_core.errors import InputError, WeightsError
from thfem_core.expression.editor import editors
from thfem_core.expression.request import ExpressionRequest, ReferenceClip, RegionStrengths
from thfem_core.expression.sserd.back_end import SserdOptions
from thfem_core.expression.sserd.editor import SserdEditor
from thfem_core.expression.sserd.networks import Sserd, load_sserd
from thfem_core.media.array_video import ArrayVideo
from thfem_core.registry import Resources

CPU = torch.device("cpu")


class Mirror(nn.Module):
    """Stands for the networks: codes are the picture's mean, and a picture comes out brighter by strength × codes."""

    def encoder(self, picture: Tensor) -> SimpleNamespace:
        return SimpleNamespace(codes=picture.mean().expand(1, 18, 512))

    def edited(self, source: Tensor, codes: Tensor, *, strength: float, noise: str, random: torch.Generator) -> Tensor:
        return F.interpolate(source, scale_factor=4, mode="bilinear") + 0.4 * strength


def video(count: int) -> ArrayVideo:
    return ArrayVideo(np.stack([frame.pixels for frame in textured_frames(count)]), Fraction(25))


def request_with(count: int, **options) -> ExpressionRequest:
    reference = ReferenceClip(video=video(count), track=MadeUpTrack(talking_face(count)))
    return ExpressionRequest(reference=reference, **options)


def edited(request: ExpressionRequest, count: int = 4, editor: SserdEditor | None = None) -> list[np.ndarray]:
    editor = editor or SserdEditor(Mirror(), SserdOptions())
    frames = editor.edit(
        video(count).frames(), [MadeUpTrack(talking_face(count))], request, frame_rate=Fraction(25), device=CPU
    )
    return [frame.rgb() for frame in frames]


def test_the_face_is_brighter_and_the_rest_is_the_source() -> None:
    source = [frame.rgb() for frame in video(4).frames()]
    for before, after in zip(source, edited(request_with(2)), strict=True):
        middle = np.s_[110:140, 115:145]
        assert (after[middle].astype(int) - before[middle]).mean() > 20
        np.testing.assert_array_equal(after[:8], before[:8])


def test_strength_0_is_the_source() -> None:
    source = [frame.rgb() for frame in video(4).frames()]
    result = edited(request_with(2, strength=0.0))
    assert all(np.array_equal(before, after) for before, after in zip(source, result, strict=True))


def test_reference_frames_are_spread_over_the_clip() -> None:
    """Frame i takes reference frame ⌊i · n_ref / n_src⌋, whatever the lengths."""
    asked = []

    class Recorder(Mirror):
        def encoder(self, picture: Tensor) -> SimpleNamespace:
            asked.append(picture.clone())
            return super().encoder(picture)

    edited(request_with(3), 6, SserdEditor(Recorder(), SserdOptions()))
    assert len(asked) == 3
    asked.clear()
    edited(request_with(8), 2, SserdEditor(Recorder(), SserdOptions()))
    assert len(asked) == 2


def test_labels_and_regions_are_refused() -> None:
    with pytest.raises(InputError, match="give a reference clip or picture, not a label"):
        edited(ExpressionRequest(emotion="happy"))
    with pytest.raises(InputError, match="leave brows, eyes, cheeks and mouth at 1"):
        edited(request_with(2, regions=RegionStrengths(mouth=0.0)))


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("picture", [True, False])
def test_variants_are_told_apart_by_their_keys(attention: bool, picture: bool, tmp_path: Path) -> None:
    with torch.device("meta"):
        keys = shapes(Sserd(attention=attention, picture=picture))
    checkpoint = {
        "state_dict": constant_state(keys),
        "latent_avg": torch.ones(512),
        "opts": {"use_att": int(attention)},
    }
    torch.save(checkpoint, tmp_path / "sserd.pt")
    network = load_sserd(tmp_path / "sserd.pt")
    assert (network.encoder.fusion[0].fusion_skip is not None) is picture
    assert hasattr(network.encoder.fusion[0], "norm") is attention
    assert network.latent_avg.shape == (18, 512)


def test_other_files_and_missing_ones(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "sserd.pt")
    with pytest.raises(WeightsError, match="holds no SSERD checkpoint"):
        editors.create("sserd", resources=Resources(folders=(tmp_path,)))
    (tmp_path / "sserd.pt").unlink()
    with pytest.raises(WeightsError, match=r"sserd.pt .*get it from https://github.com/ZH-Xu410/SSERD.*non-commercial"):
        editors.create("sserd", resources=Resources(folders=(tmp_path,)))
