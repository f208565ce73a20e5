"""Expression editors with large networks: loaded once, in the host's care."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import comfy.model_management
import torch

from ..thfem_core.expression.editor import ExpressionEditor, editors
from ..thfem_core.options import options_of
from ..thfem_core.pipeline.self_test import self_test
from ..thfem_core.registry import Resources
from .host import HostProgress, model_folders
from .payloads import LoadedEditor
from .talking_head_loader import DRAWING_MEMORY, in_care_of_host


def is_large(name: str) -> bool:
    """Whether an editor's networks are worth keeping: those that let users choose a number format."""
    return any(each.name == "precision" for each in options_of(editors.back_end(name).options))


def load_editor_in_host(name: str, options: Mapping[str, Any] | None = None, *, device: str = "auto") -> LoadedEditor:
    """Load an editor for this host.

    Args:
        name: The editor.
        options: Its options that differ from their defaults.
        device: One of :data:`.host.DEVICES`.

    Returns:
        The editor, its networks in the host's care.

    Raises:
        InputError: The name or an option is unknown, or a value is not allowed.
        WeightsError: A model file is missing; the message names the host's model folder.
    """
    where = torch.device("cpu") if device == "cpu" else comfy.model_management.get_torch_device()
    editor = editors.create(name, options, Resources(device=where, folders=model_folders(), progress=HostProgress()))
    patcher = in_care_of_host(editor, where, keep=device == "keep loaded")
    return LoadedEditor(name=name, editor=editor, device=where, patcher=patcher)


def ready_editor(loaded: LoadedEditor) -> ExpressionEditor:
    """The editor with its networks on its device, and room made there to draw."""
    if loaded.patcher is not None:
        room = getattr(loaded.editor, "working_memory", DRAWING_MEMORY)
        comfy.model_management.load_models_gpu([loaded.patcher], memory_required=room, force_full_load=True)
    return loaded.editor


def editing_editor(
    name: str, options: Mapping[str, Any], loaded: LoadedEditor | None
) -> tuple[str | ExpressionEditor, torch.device | None]:
    """Who edits and where: a loaded editor, or one by name; large ones by name are put in the host's care too."""
    if loaded is None and not is_large(name):
        return name, None
    loaded = loaded or load_editor_in_host(name, options)
    return ready_editor(loaded), loaded.device


def described_editor(loaded: LoadedEditor) -> str:
    """Size, device and terms, for the user."""
    facts = [f"{loaded.name} on {loaded.device}"]
    if loaded.patcher is not None:
        facts.append(f"{loaded.patcher.model_size() / 1e6:.0f} MB of weights")
    facts += [f"{model.name}: {model.terms}" for model in editors.back_end(loaded.name).models[:1]]
    return ", ".join(facts)


def tested(loaded: LoadedEditor) -> str:
    """What the editor's self-test says on this host."""
    return self_test(ready_editor(loaded), device=loaded.device, progress=HostProgress())
