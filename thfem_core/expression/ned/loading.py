"""Loading NED from the user's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import InputError, WeightsError
from ...registry import Resources
from ...weights.reading import Shapes, check_shapes, load_strict, safe_load, state_dict
from ...weights.store import locate
from .back_end import DECA, FLAME, MANIPULATOR, RENDERER, SEGMENTATION, NedOptions
from .condition_sources import ConditionFolder, ConditionModel
from .conditions import DetailMaps
from .deca import Deca
from .editor import NedEditor
from .flame import FlameModel
from .manipulator import ExpressionTranslator, MappingNetwork, SequenceReader
from .renderer import FaceRenderer
from .segmentation import SegmentationUNet


def load(options: NedOptions, resources: Resources) -> NedEditor:
    """Load NED: the renderer, and either condition pictures or the networks and models that make them.

    Raises:
        InputError: The folder of condition pictures cannot be used.
        WeightsError: A file is missing (says which, where from, where to and under which licence) or another one.
    """
    renderer = load_renderer(options.renderer or _file(RENDERER, "renderer", resources))
    if options.conditions is not None:
        return NedEditor(renderer, ConditionFolder(options.conditions))
    manipulator = _file(MANIPULATOR, "manipulator", resources)
    deca, flame = _file(DECA, "networks", resources), _file(FLAME, "model", resources)
    segmentation = locate(SEGMENTATION, folders=resources.folders, progress=resources.progress).get("network")
    return NedEditor(
        renderer,
        ConditionModel(
            *load_manipulator(manipulator),
            deca=load_deca(deca),
            flame=load_flame(flame),
            label_order=options.label_order,
            seed=options.seed,
        ),
        segmentation=None
        if segmentation is None
        else _filled(SegmentationUNet, state_dict(segmentation), segmentation),
    )


def _file(model: Any, role: str, resources: Resources) -> Path:
    return locate(model, folders=resources.folders, progress=resources.progress)[role]


def _filled(make: Callable[[], nn.Module], state: Mapping[str, Tensor], path: Path) -> Any:
    with torch.device("meta"):
        network = make()
    load_strict(network, state, what=f"NED's {type(network).__name__} ({path})", assign=True)
    return network.eval().requires_grad_(False)


def load_renderer(path: Path) -> FaceRenderer:
    """Read the renderer of one person (``NN_net_G.pth``, a bare state dict)."""
    if not path.is_file():
        raise InputError(f"there is no renderer {path}; check the path")
    state = state_dict(path)
    last = state.get("model_final_img.1.weight")
    if last is None or last.ndim != 4:
        raise WeightsError(f"{path} is no renderer of NED; give the NN_net_G.pth of the person in the clip")
    renderer: FaceRenderer = _filled(partial(FaceRenderer, last.shape[1]), state, path)
    return renderer


def load_manipulator(path: Path) -> tuple[ExpressionTranslator, MappingNetwork, SequenceReader]:
    """Read the manipulator (``NN_nets_finetuned.pth``): translator, mapping network and style encoder."""
    loaded = safe_load(path)
    makers = {
        "generator": ExpressionTranslator,
        "mapping_network": MappingNetwork,
        "style_encoder": SequenceReader,
    }
    missing = [name for name in makers if not isinstance(loaded.get(name), Mapping)]
    if missing:
        raise WeightsError(f"{path} holds no {', '.join(missing)}; give NED's NN_nets_finetuned.pth")
    translator, mapping, encoder = (_filled(make, loaded[name], path) for name, make in makers.items())
    return translator, mapping, encoder


def load_deca(path: Path) -> Deca:
    """Read DECA's networks (``deca_model.tar``)."""
    loaded = safe_load(path)
    with torch.device("meta"):
        deca = Deca()
    for name, network in deca.named_children():
        if not isinstance(loaded.get(name), Mapping):
            raise WeightsError(f"{path} holds no {name}; give DECA's deca_model.tar")
        load_strict(network, loaded[name], what=f"DECA's {name} ({path})", assign=True)
    return deca.eval().requires_grad_(False)


_FLAME_SHAPES: Shapes = {
    "template": ("V", 3),
    "faces": ("T", 3),
    "uv": ("U", 2),
    "uv_faces": ("T", 3),
    "directions": ("V", 3, 150),
    "pose_directions": (36, "3 V"),
    "joint_regressor": (5, "V"),
    "weights": ("V", 5),
    "static_faces": (51,),
    "static_weights": (51, 3),
    "contour_faces": (79, 17),
    "contour_weights": (79, 17, 3),
    "detail.mask": (256, 256),
    "detail.displacement": (256, 256),
}


def load_flame(path: Path) -> tuple[FlameModel, DetailMaps]:
    """Read the converted head model and DECA's detail maps (``flame.safetensors``)."""
    tensors = safe_load(path)
    names = [field.name for field in fields(FlameModel)]
    check_shapes(tensors, _FLAME_SHAPES, what=str(path), remedy="make it again by `models convert flame`")
    model = FlameModel(**{name: tensors[name] for name in names})
    return model, DetailMaps(mask=tensors["detail.mask"], displacement=tensors["detail.displacement"])
