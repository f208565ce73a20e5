"""DeepSpeech's constants out of a frozen graph that the test writes, and the network against its formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from published_heads import deepspeech_shapes, write_graph

from thfem_core.errors import WeightsError
from thfem_core.talking_head.eat import deepspeech
from thfem_core.talking_head.eat.deepspeech import logits_of
from thfem_core.talking_head.eat.deepspeech_convert import convert, graph_constants, tensors_of_graph
from thfem_core.talking_head.eat.speech_features import load_deepspeech
from thfem_core.weights.convert import convert_files

WIDTH = 6


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    return {
        name: (random.standard_normal(shape) * (2.0 if name == "h1" else 0.6)).astype(np.float32)
        for name, shape in deepspeech_shapes(WIDTH).items()
    }


@pytest.fixture
def graph(tmp_path: Path, weights: dict[str, np.ndarray]) -> Path:
    path = tmp_path / "output_graph.pb"
    write_graph(path, weights)
    return path


def reference(weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The network, written out as TensorFlow's cells compute it."""

    def dense(x: np.ndarray, n: int) -> np.ndarray:
        return x @ weights[f"h{n}"] + weights[f"b{n}"]

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    def run(x: np.ndarray, direction: str) -> np.ndarray:
        cell = f"bidirectional_rnn/{direction}/basic_lstm_cell"
        h = c = np.zeros(WIDTH)
        out = []
        for row in x:
            i, j, f, o = np.split(np.concatenate([row, h]) @ weights[f"{cell}/kernel"] + weights[f"{cell}/bias"], 4)
            c = c * sigmoid(f + 1.0) + sigmoid(i) * np.tanh(j)
            h = np.tanh(c) * sigmoid(o)
            out.append(h)
        return np.stack(out)

    for n in (1, 2, 3):
        x = np.clip(dense(x, n), 0, 20)
    x = np.concatenate([run(x, "fw"), run(x[::-1], "bw")[::-1]], axis=1)
    return dense(np.clip(dense(x, 5), 0, 20), 6)


def test_constants_are_read(graph: Path, weights: dict[str, np.ndarray]) -> None:
    constants = graph_constants(graph)
    assert constants.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(constants[name], array)


def test_network_computes_what_the_graph_computes(graph: Path, weights: dict[str, np.ndarray]) -> None:
    x = np.random.default_rng(0).standard_normal((9, 494)).astype(np.float32)
    with torch.inference_mode():
        logits = load_deepspeech(graph)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(logits, reference(weights, x.astype(np.float64)), atol=1e-3)


def test_long_clips_go_in_blocks(graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = load_deepspeech(graph)
    x = torch.randn(150, 494, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(deepspeech, "BLOCK", 40)
    with torch.inference_mode():
        whole = network(x)
    assert (logits_of(network, x) - whole).abs().max() < 1e-4 * whole.abs().max()


def test_conversion_keeps_the_network(graph: Path, tmp_path: Path) -> None:
    convert_files("deepspeech", [graph], tmp_path / "deepspeech.safetensors", convert=convert)
    converted = load_deepspeech(tmp_path / "deepspeech.safetensors").state_dict()
    for key, tensor in tensors_of_graph(graph).items():
        torch.testing.assert_close(converted[key], tensor, rtol=0, atol=0)


def test_other_files_are_refused(graph: Path, tmp_path: Path) -> None:
    whole = graph.read_bytes()
    for cut in (1, 7, len(whole) // 2):
        (tmp_path / "cut.pb").write_bytes(whole[:-cut])
        with pytest.raises(WeightsError, match=r"cut\.pb"):
            tensors_of_graph(tmp_path / "cut.pb")
    (tmp_path / "text.pb").write_text("this is no graph")
    with pytest.raises(WeightsError, match="no frozen TensorFlow graph"):
        tensors_of_graph(tmp_path / "text.pb")
    with pytest.raises(WeightsError, match="one file"):
        convert([graph, graph])
