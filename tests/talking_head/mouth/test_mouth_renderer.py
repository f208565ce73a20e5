"""The mouth network: what it may change, at which sizes, and what it is before any training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from thfem_core.errors import InputError, WeightsError
from thfem_core.talking_head.mouth.back_end import MouthOptions
from thfem_core.talking_head.mouth.motion import MotionNet
from thfem_core.talking_head.mouth.networks import load_motion, load_renderer, on_device
from thfem_core.talking_head.mouth.renderer import (
    FLOW_REACH,
    PAINT_REACH,
    Fields,
    MouthRenderer,
    RendererConfig,
    draw,
    mouth_gate,
    warp_only,
)

NARROW = RendererConfig(widths=(8, 8, 8, 8))


def trained(seed: int = 0) -> MouthRenderer:
    """A network that does as much as it can, everywhere."""
    torch.manual_seed(seed)
    net = MouthRenderer(NARROW).eval()
    with torch.no_grad():
        net.head[2].weight.normal_(std=1.0)
        net.head[2].bias.normal_(std=2.0)
    return net


def inputs(size: int = 64, batch: int = 2) -> tuple[torch.Tensor, ...]:
    """source, source_mask, flows, target_masks: a mouth in the middle, carriers that disagree."""
    region = round(size * 168 / 128)
    generator = torch.Generator().manual_seed(4)
    source = F.interpolate(
        torch.rand(batch, 3, 9, 9, generator=generator), size=(region, region), mode="bicubic"
    ).clamp(0, 1)
    axis = torch.arange(size) + 0.5 + (region - size) / 2
    identity = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
    shifts = torch.tensor([[0.5, 1.0], [2.0, 0.0], [0.0, 4.0]]) * size / 64
    flows = (identity + shifts[:, None, None]).expand(batch, -1, -1, -1, -1)
    masks = torch.zeros(batch, 2, size, size)
    masks[:, 0, size * 7 // 16 : size * 9 // 16, size * 6 // 16 : size * 10 // 16] = 1
    masks[:, 1, size * 6 // 16 : size * 10 // 16, size * 5 // 16 : size * 11 // 16] = 1
    source_mask = torch.zeros(batch, region, region)
    return source, source_mask, flows, masks


def test_before_training_it_is_the_warp() -> None:
    """Exactly outside the lips, and everywhere where the carriers agree."""
    net = MouthRenderer(NARROW).eval()
    source, source_mask, flows, masks = inputs()
    drawn = net(source, source_mask, flows, masks)
    warped = warp_only(source, flows)
    outside = (masks[:, 1:] == 0).expand_as(drawn)
    torch.testing.assert_close(drawn[outside], warped[outside], rtol=0, atol=1e-5)
    assert not torch.allclose(drawn, warped, atol=1e-3)
    agreed = flows[:, :1].expand(-1, 3, -1, -1, -1)
    torch.testing.assert_close(net(source, source_mask, agreed, masks), warp_only(source, agreed), rtol=0, atol=1e-5)


def test_skin_is_never_painted() -> None:
    """Away from the lips there is neither paint nor a choice, only a small bend, whatever the weights are."""
    source, source_mask, flows, masks = inputs()
    with torch.no_grad():
        fields = trained().fields(source, source_mask, flows, masks)
    reach = 3 * round(0.03 * 64)  # grown once, softened twice
    near = F.max_pool2d(masks[:, 1:], 2 * reach + 1, 1, reach) > 0
    away = ~near
    assert bool(away.any())
    assert float(fields.paint[away.expand_as(fields.paint)].abs().max()) == 0
    assert float((fields.weights[:, :1][away] - 1).abs().max()) == 0
    assert float(fields.weights[:, 1:][away.expand(-1, 2, -1, -1)].abs().max()) == 0
    assert float(fields.paint.abs().max()) > 0.1
    assert float(fields.bend.abs().max()) <= FLOW_REACH + 1e-6 and float(fields.paint.abs().max()) <= PAINT_REACH + 1e-6
    torch.testing.assert_close(fields.weights.sum(dim=1), torch.ones_like(fields.weights[:, 0]))
    assert float(fields.weights.min()) >= 0


def test_the_gate_is_one_on_the_lips_and_fades() -> None:
    masks = inputs()[3]
    gate = mouth_gate(masks)
    assert gate.shape == (2, 1, 64, 64)
    assert float(gate[masks[:, 1:] > 0].min()) > 0.4
    assert float(gate[masks[:, :1] > 0].min()) == pytest.approx(1)
    assert float((gate[..., 1:, :] - gate[..., :-1, :]).abs().max()) < 0.35
    assert float(mouth_gate(torch.zeros(1, 2, 64, 64)).max()) == 0


@pytest.mark.parametrize("size", [32, 48, 64, 112])
def test_any_size_divisible_by_16(size: int) -> None:
    source, source_mask, flows, masks = inputs(size, batch=1)
    with torch.no_grad():
        drawn = trained()(source, source_mask, flows, masks)
    assert drawn.shape == (1, 3, size, size)
    assert float(drawn.min()) >= 0 and float(drawn.max()) <= 1


def test_fields_may_be_brought_to_a_finer_picture() -> None:
    """Drawn at twice the resolution with the fields of the coarse one, and made small again: nearly the same."""
    source, _, flows, _ = inputs(64)
    generator = torch.Generator().manual_seed(1)
    knots = torch.randn(2, 8, 5, 5, generator=generator)
    smooth = F.interpolate(knots, size=(64, 64), mode="bicubic", align_corners=True)
    fields = Fields(weights=smooth[:, :3].softmax(dim=1), bend=0.01 * smooth[:, 3:5].tanh(), paint=0.1 * smooth[:, 5:])
    coarse = draw(source, flows, fields)

    def finer(x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    positions = torch.stack([finer(flow.permute(0, 3, 1, 2)).permute(0, 2, 3, 1) for flow in flows.unbind(1)], dim=1)
    # The bend is a share of the side: draw() multiplies by the pixels of the flow's own grid, twice as many here.
    twice = Fields(weights=finer(fields.weights), bend=finer(fields.bend) / 2, paint=finer(fields.paint))
    fine = F.avg_pool2d(draw(source, positions, twice), 2)
    middle = (slice(None), slice(None), slice(4, -4), slice(4, -4))
    assert float((fine - coarse)[middle].abs().mean()) < 0.005


def test_a_batch_is_one_by_one() -> None:
    """Within a fortieth of a grey level: convolutions of another batch size sum in another order (1e-5 with AVX2)."""
    net, rows = trained(), inputs(48, batch=3)
    together = net(*rows)
    for i in range(3):
        torch.testing.assert_close(net(*(row[i : i + 1] for row in rows))[0], together[i], rtol=0, atol=1e-4)


def test_networks_come_back_from_their_files(tmp_path: Path) -> None:
    net = trained()
    notes = {"config": '{"renderer": {"network": {"widths": [8, 8, 8, 8]}, "pixel": 10}}'}
    save_file({key: value.half() for key, value in net.state_dict().items()}, tmp_path / "a.safetensors", notes)
    again = load_renderer(tmp_path / "a.safetensors")
    assert again.config == NARROW and not again.training
    assert not any(value.requires_grad for value in again.parameters())
    for key, value in net.state_dict().items():
        torch.testing.assert_close(again.state_dict()[key], value.half().float())
    assert on_device(again, torch.device("cpu")) is again
    motion = MotionNet()
    save_file(motion.state_dict(), tmp_path / "m.safetensors")
    assert torch.equal(load_motion(tmp_path / "m.safetensors").gates, motion.gates)


def test_a_missing_damaged_or_other_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "half.safetensors").write_bytes(b"half a file")
    save_file({"stem.weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    save_file(MouthRenderer(NARROW).state_dict(), tmp_path / "wide.safetensors")  # does not say that it is narrow
    cases = [
        (load_motion, "none", r"none\.safetensors is missing .*training/train_thg\.py --stage motion"),
        (load_renderer, "half", r"half\.safetensors is damaged .*training/train_thg\.py --stage renderer"),
        (
            load_renderer,
            "other",
            r"other\.safetensors .*of another architecture.*training/train_thg\.py --stage renderer",
        ),
        (load_renderer, "wide", r"of another shape.*training/train_thg\.py --stage renderer"),
        (load_motion, "wide", r"of another architecture.*training/train_thg\.py --stage motion"),
    ]
    for load, name, message in cases:
        with pytest.raises(WeightsError, match=message) as caught:
            load(tmp_path / f"{name}.safetensors")
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"amount": -0.1}, "amount is -0.1; give a value between 0 and 2"),
        ({"amount": 2.5}, "amount is 2.5"),
        ({"keep_below": 3.0}, "keep-below is 3 and redraw-above 2; give a keep-below that is smaller"),
        ({"keep_below": -1.0}, "keep-below is -1"),
        ({"lip_smoothing": 0}, "lip-smoothing is 0; give a value between 1 and 50"),
        ({"lip_smoothing": 51}, "lip-smoothing is 51"),
    ],
)
def test_settings_out_of_range(settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        MouthOptions(**settings)
