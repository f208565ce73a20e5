"""Parameters and MACs agree with what can be computed by hand."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from thfem_core.errors import InputError
from thfem_core.expression.mesh.editor import MeshEditor
from thfem_core.expression.request import ExpressionRequest
from thfem_core.media.file_video import FileVideo
from thfem_core.metrics.complexity import (
    Complexity,
    count_macs,
    count_parameters,
    editor_complexity,
    face_network_complexity,
    networks_of,
    talking_head_complexity,
)
from thfem_core.metrics.judges.arcface.network import IResNet50

CPU = torch.device("cpu")
HAPPY = ExpressionRequest(emotion="happy")


def test_a_convolution_and_a_product_by_hand() -> None:
    conv, linear = torch.nn.Conv2d(3, 8, 5, stride=2, padding=2), torch.nn.Linear(8, 4)
    x = torch.zeros(2, 3, 16, 12)
    assert count_macs(lambda: conv(x)) == 2 * (8 * 6) * 8 * 3 * 25
    assert count_macs(lambda: linear(torch.zeros(7, 8))) == 7 * 8 * 4
    assert count_macs(lambda: x.relu()) == 0
    with warnings.catch_warnings():  # of torch.jit, which is in maintenance
        warnings.simplefilter("ignore")
        recorded = torch.jit.trace(conv, x)
    assert count_macs(lambda: recorded(x)) == count_macs(lambda: conv(x))


def test_a_transformer_layer_by_hand() -> None:
    layer = torch.nn.TransformerEncoderLayer(16, 2, 32, batch_first=True).eval()
    projections, products, feed_forward = 5 * 16 * 4 * 16, 2 * 2 * 5 * 5 * 8, 2 * 5 * 16 * 32
    assert count_macs(lambda: layer(torch.zeros(1, 5, 16))) == projections + products + feed_forward


def test_the_published_cost_of_iresnet50() -> None:
    """insightface states 6.33 GFLOPs (MACs) for r50."""
    net = IResNet50().eval()
    assert count_macs(lambda: net(torch.zeros(1, 3, 112, 112))) / 1e9 == pytest.approx(6.33, abs=0.03)


@dataclass(slots=True)
class Slots:
    net: torch.nn.Module


@dataclass
class Head:
    """A talking head with a network in a slot and in a list."""

    shared: torch.nn.Module = field(default_factory=lambda: torch.nn.Conv2d(3, 4, 3, bias=False))
    drives: tuple[str, ...] = ("audio",)
    lookahead: int = 2

    def __post_init__(self) -> None:
        self.parts = [Slots(self.shared), {"again": self.shared}]
        self.seen = 0

    def open_face(self, clip):
        return self

    def observe(self, frame):
        self.seen += 1
        self.shared(torch.zeros(1, 3, 3, 3))

    def predict(self, windows):
        for window in windows:
            for _ in window.targets:
                self.shared(torch.zeros(1, 3, 4, 4))
        return []


def test_networks_are_found_and_counted_once() -> None:
    head = Head()
    assert networks_of(head) == [head.shared]
    assert count_parameters([head, Slots(head.shared), None]) == 3 * 4 * 9


def test_a_talking_head_is_counted_per_window(demo_clip: Path) -> None:
    clip = FileVideo(demo_clip, duration=Fraction(10, 25))
    found = talking_head_complexity(Head(), clip, speech=None, device=CPU)
    assert found == Complexity(parameters=108, macs=5 * 4 * 108, frames=5, once=8 * 108)
    with pytest.raises(InputError, match="needs 21"):
        talking_head_complexity(Head(), clip, speech=None, device=CPU, window=20)


@dataclass
class Editor:
    """An editor that reads a reference once, and every frame."""

    network: torch.nn.Module = field(default_factory=lambda: torch.nn.Linear(10, 10, bias=False))
    needs_faces: bool = False

    def edit(self, frames, tracks, request, *, frame_rate, device):
        self.network(torch.zeros(7, 10))
        for frame in frames:
            self.network(torch.zeros(2, 10))
            yield frame


def test_an_editor_is_counted_per_frame(demo_clip: Path) -> None:
    found = editor_complexity(Editor(), FileVideo(demo_clip), HAPPY, device=CPU, frames=(2, 5))
    assert found == Complexity(parameters=100, macs=200, frames=1, once=700)
    with pytest.raises(InputError, match="at least 20"):
        short = FileVideo(demo_clip, duration=Fraction(10, 25))
        editor_complexity(Editor(), short, HAPPY, device=CPU, frames=(2, 20))


def test_the_embedded_editor_costs_its_face_networks(demo_clip: Path) -> None:
    found = editor_complexity(MeshEditor(), FileVideo(demo_clip), HAPPY, device=CPU, frames=(2, 3))
    assert 1e5 < found.parameters < 5e6 and 1e7 < found.macs < 1e9 and found.frames == 1
    assert face_network_complexity(1).macs > found.macs > face_network_complexity(10**9).macs
    both = found.with_stage(Complexity(parameters=10, macs=100, frames=5, once=7))
    assert both == Complexity(
        parameters=found.parameters + 10, macs=5 * found.macs + 100, frames=5, once=found.once + 7
    )
