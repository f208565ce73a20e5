"""Every model file that this package can use, gathered from what its back ends declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import InputError
from .expression.editor import editors
from .face.models import face_models
from .face.occlusion.model_files import MODELS as OCCLUSION_MODELS
from .metrics.cdrl.model_files import MODELS as CDRL_MODELS
from .metrics.judges.spec import judges
from .pose.encoder import pose_encoders
from .registry import Registry
from .talking_head.head import talking_heads
from .weights.model import Model, ModelFile

if TYPE_CHECKING:
    from .weights.convert import Converter

REGISTRIES: tuple[Registry[Any], ...] = (face_models, pose_encoders, editors, talking_heads, judges)

# What the training recipes read and no back end loads. No commit of a foreign repository is known to be right, so none
# is pinned: size and checksum guard the download.
TRAINING_MODELS = (
    Model(
        name="wav2lip-expert",
        purpose="lip-sync expert of Wav2Lip (sync loss)",
        origin="hub",
        repo="Nekochu/Wav2Lip",
        files=(ModelFile(role="weights", names=("lipsync_expert.pth",), size=197357631, sha256="9b9936c7"),),
        licence="none shown; upstream research only",
        commercial=False,
        link="https://huggingface.co/Nekochu/Wav2Lip",
        note="only the first 8 digits of its checksum are known",
    ),
    Model(
        name="vgg19",
        purpose="perceptual loss",
        origin="web",
        files=(ModelFile(role="weights", names=("vgg19-dcbb9e9d.pth",), megabytes=548, sha256="dcbb9e9d"),),
        licence="BSD-3-Clause (torchvision); trained on ImageNet",
        commercial=None,
        link="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    ),
)


def all_models() -> dict[str, Model]:
    """List all models by name: of back ends in the order of registration, of the paper group's protocol, of training.

    Raises:
        ValueError: Two back ends describe one model differently.
    """
    declared = [model for registry in REGISTRIES for name in registry for model in registry.back_end(name).models]
    models: dict[str, Model] = {}
    for model in (*declared, *OCCLUSION_MODELS, *CDRL_MODELS, *TRAINING_MODELS):
        if models.setdefault(model.name, model) != model:
            raise ValueError(f"two back ends describe the model {model.name!r} differently; let them share one Model")
    return models


def find_model(name: str) -> Model:
    """Find a model.

    Args:
        name: What users call it.

    Returns:
        The model.

    Raises:
        InputError: There is no such model; the message lists those there are.
    """
    models = all_models()
    if name not in models:
        raise InputError(f"unknown model {name!r}; choose one of: {', '.join(models)}")
    return models[name]


def find_converter(name: str) -> Converter | None:
    """Find what makes one safetensors file of a model's published checkpoints.

    Args:
        name: Name of a model.

    Returns:
        The converter, or None for a model that is used as published.
    """
    for registry in REGISTRIES:
        for back_end in registry:
            target = registry.back_end(back_end).converters.get(name)
            if target is not None:
                converter: Converter = registry.attribute(back_end, target)
                return converter
    return None
