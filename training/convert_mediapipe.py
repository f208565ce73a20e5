"""Make ``thfem_core/weights/mediapipe_face.safetensors`` from MediaPipe's published networks.

    pip download --no-deps mediapipe==0.10.21
    pip install ai-edge-litert==2.3.0        # only this script needs it, for its schema of the tflite format
    python -m training.convert_mediapipe mediapipe-0.10.21-*.whl

The argument is the wheel, or a site-packages folder that holds the installed package. Numbers are stored as the
original stores them (fp16); sparse matrices are stored dense. Licence of the networks: Apache-2.0.
"""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from thfem_core.face.mediapipe.blazeface import ShortRangeBlazeFace
from thfem_core.face.mediapipe.blocks import GroupedPointwise
from thfem_core.face.mediapipe.full_range import FullRangeBlazeFace
from thfem_core.face.mediapipe.mesh_net import AttentionMesh
from thfem_core.face.mediapipe.models import WEIGHTS_FILE
from thfem_core.face.mediapipe.region_refinement import REGIONS
from thfem_core.weights.model import EMBEDDED_FOLDER

SOURCES = {
    "short_range": "mediapipe/modules/face_detection/face_detection_short_range.tflite",
    "full_range": "mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
    "mesh": "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite",
}
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_CROPS = "TransformTensorBilinear"
_WEIGHTED = (nn.Conv2d, nn.Linear, GroupedPointwise, nn.PReLU)
Layer = tuple[str, int]  # operator name, index of the operator


class TfliteGraph:
    """The operators of a tflite file, and its constants as arrays."""

    def __init__(self, data: bytes) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self._model = schema.ModelT.InitFromPackedBuf(data, 0)
        self._graph = self._model.subgraphs[0]
        names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
        self._dtypes = {
            schema.TensorType.FLOAT32: np.float32,
            schema.TensorType.FLOAT16: np.float16,
            schema.TensorType.INT32: np.int32,
        }
        self.kinds = []
        for operator in self._graph.operators:
            code = self._model.operatorCodes[operator.opcodeIndex]
            builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
            self.kinds.append(code.customCode.decode() if names[builtin] == "CUSTOM" else names[builtin])
        self._producer = {out: i for i, operator in enumerate(self._graph.operators) for out in operator.outputs}

    def output(self, name: str) -> int:
        """Tensor number of a named output."""
        return next(i for i in self._graph.outputs if self._graph.tensors[i].name.decode() == name)

    def layers(self) -> list[Layer]:
        """All layers that hold weights, in order of execution."""
        return [(kind, i) for i, kind in enumerate(self.kinds) if kind in (*_CONVOLUTIONS, "PRELU")]

    def layers_to(self, tensor: int) -> list[Layer]:
        """The layers on the longest way from the input, or from a region's crop, to a tensor."""
        found: list[Layer] = []
        while tensor in self._producer:
            index = self._producer[tensor]
            kind, inputs = self.kinds[index], self._graph.operators[index].inputs
            if kind == _CROPS:
                break
            if kind in (*_CONVOLUTIONS, "PRELU"):
                found.append((kind, index))
            deeper = [i for i in inputs if self._kind_of_producer(i) in _CONVOLUTIONS]
            tensor = deeper[0] if kind == "ADD" else inputs[0]
        return found[::-1]

    def _kind_of_producer(self, tensor: int) -> str | None:
        return self.kinds[self._producer[tensor]] if tensor in self._producer else None

    def weights(self, layer: Layer) -> list[torch.Tensor]:
        """Weights in PyTorch's layout: [weight, bias] of a convolution, [slope] of a PReLU."""
        kind, index = layer
        arrays = [self._constant(i) for i in self._graph.operators[index].inputs[1:]]
        if kind == "CONV_2D":
            arrays[0] = arrays[0].transpose(0, 3, 1, 2)
        elif kind == "DEPTHWISE_CONV_2D":
            arrays[0] = arrays[0].transpose(3, 0, 1, 2)
        else:
            arrays[0] = arrays[0].reshape(-1)
        return [torch.from_numpy(np.array(a, order="C")) for a in arrays]

    def _constant(self, number: int) -> np.ndarray:
        while self._kind_of_producer(number) in ("DEQUANTIZE", "DENSIFY"):
            number = self._graph.operators[self._producer[number]].inputs[0]
        tensor = self._graph.tensors[number]
        values = np.frombuffer(bytes(self._model.buffers[tensor.buffer].data), self._dtypes[tensor.type])
        if tensor.sparsity is None:
            return values.reshape(tensor.shape)
        *dense, compressed = tensor.sparsity.dimMetadata  # rows of output channels, compressed over input channels
        starts, columns = compressed.arraySegments.values, compressed.arrayIndices.values
        rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts.astype(np.int64)))
        full = np.zeros((dense[0].denseSize, tensor.shape[-1]), values.dtype)
        full[rows, columns] = values
        return full.reshape(tensor.shape)

    def custom_options(self, kind: str) -> list[dict[str, Any]]:
        """Attributes of all custom operators of a kind, in order of execution."""
        from flatbuffers import flexbuffers

        chosen = [o for o, k in zip(self._graph.operators, self.kinds, strict=True) if k == kind]
        return [flexbuffers.Loads(bytes(bytearray(operator.customOptions))) for operator in chosen]


def weight_slots(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules that hold weights, by name, in order of execution."""
    return [(name, part) for name, part in module.named_modules() if isinstance(part, _WEIGHTED)]


def assign(name: str, module: nn.Module, copies: list[list[list[torch.Tensor]]]) -> dict[str, torch.Tensor]:
    """Name the weights of consecutive layers after the module's own, checking every shape.

    ``copies`` holds the weights layer by layer, once for each of the layers that run side by side.
    """
    named = {}
    for (slot, layer), parts in zip(weight_slots(module), zip(*copies, strict=True), strict=True):
        for (field, target), values in zip(layer.named_parameters(), zip(*parts, strict=True), strict=True):
            key = ".".join(filter(None, (name, slot, field)))
            if isinstance(layer, nn.Linear):
                shaped = [value.reshape(target.shape) for value in values]
            elif isinstance(layer, GroupedPointwise):
                shaped = [value.reshape(1, len(value), -1).transpose(1, 2) for value in values]
            else:
                shaped = list(values)
            named[key] = torch.cat(shaped).contiguous()
            if named[key].shape != target.shape:
                raise ValueError(f"{key} has shape {tuple(named[key].shape)}, not {tuple(target.shape)}")
    return named


def convert_mesh(graph: TfliteGraph) -> dict[str, torch.Tensor]:
    """The attention mesh: its backbone, and the region networks stacked in the order of the modules."""
    net = AttentionMesh()
    named = {}

    def take(name: str, chains: list[list[Layer]]) -> None:
        """Move the layers of a submodule from the front of each chain into ``named``."""
        part = net.get_submodule(name)
        count = len(weight_slots(part))
        weights = [[graph.weights(layer) for layer in chain[:count]] for chain in chains]
        named.update(assign(name, part, weights))
        for chain in chains:
            del chain[:count]

    backbone = graph.layers_to(graph.output("output_mesh_identity"))
    for name in ("stem", "shallow", "deep", "neck", "mesh"):
        take(name, [backbone])
    take("presence", [graph.layers_to(graph.output("conv_faceflag"))[-1:]])

    chains = {head: graph.layers_to(graph.output(f"output_{head}")) for head in net.contours}
    trunk_length = len(weight_slots(net.region_trunk))
    take("region_trunk", [chains[region][:trunk_length] for region in REGIONS])
    heads = [chain[trunk_length:] for chain in chains.values()]
    take("contour_neck", heads)
    for head, chain in zip(chains, heads, strict=True):
        take(f"contours.{head}", [chain])

    crops = graph.custom_options("Landmarks2TransformMatrix")
    longest = max(len(crop["subset_idxs"]) for crop in crops)
    rows = [crop["subset_idxs"] + crop["subset_idxs"][:1] * (longest - len(crop["subset_idxs"])) for crop in crops]
    named["regions.points"] = torch.tensor(rows)
    named["regions.axis"] = torch.tensor([[c["left_rotation_idx"], c["right_rotation_idx"]] for c in crops])
    return named


def convert_detector(graph: TfliteGraph, net: nn.Module) -> dict[str, torch.Tensor]:
    """A detector: its modules are registered in the order in which the original runs."""
    return assign("", net, [[graph.weights(layer) for layer in graph.layers()]])


def read_sources(package: Path) -> dict[str, bytes]:
    """The tflite files of :data:`SOURCES`, from a wheel or an installed package."""
    if package.is_dir():
        return {name: (package / path).read_bytes() for name, path in SOURCES.items()}
    with zipfile.ZipFile(package) as wheel:
        return {name: wheel.read(path) for name, path in SOURCES.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path, help="the wheel, or the site-packages folder")
    parser.add_argument("-o", "--output", type=Path, default=EMBEDDED_FOLDER / WEIGHTS_FILE)
    arguments = parser.parse_args()

    data = read_sources(arguments.package)
    parts = {
        "short_range": convert_detector(TfliteGraph(data["short_range"]), ShortRangeBlazeFace()),
        "full_range": convert_detector(TfliteGraph(data["full_range"]), FullRangeBlazeFace()),
        "mesh": convert_mesh(TfliteGraph(data["mesh"])),
    }
    metadata = {"source": "https://pypi.org/project/mediapipe/0.10.21", "version": "0.10.21", "licence": "Apache-2.0"}
    metadata |= {f"sha256 {SOURCES[name]}": hashlib.sha256(blob).hexdigest() for name, blob in data.items()}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    tensors = {f"{part}.{key}": value for part, named in parts.items() for key, value in named.items()}
    save_file(tensors, arguments.output, metadata)
    print(f"{arguments.output}: {len(tensors)} tensors, {arguments.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
