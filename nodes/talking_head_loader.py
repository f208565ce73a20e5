"""Talking Head Loader: which talking head, how precise, on which device; its networks in the host's care."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import comfy.model_management
import comfy.model_patcher
import torch
from comfy_api.latest import io

from ..thfem_core.registry import Resources
from ..thfem_core.talking_head.head import OwnsNetworks, TalkingHead, talking_heads
from .back_end_inputs import chosen_options, option_inputs
from .checks import check_choice
from .host import CATEGORY, DEVICES, HostProgress, model_folders, schema, work_device
from .payloads import LoadedTalkingHead, TalkingHeadSocket
from .talking_inputs import talking_head_choice

DRAWING_MEMORY = 4 * 2**30  # bytes asked of the host: the large ones draw some forty pictures at once on a card


def in_care_of_host(head: object, device: torch.device, *, keep: bool) -> object | None:
    """The host's handle on the networks of a talking head; None where it has none to hand over.

    The host moves them to ``device`` when they are needed and, unless they are to be kept, back to ordinary memory when
    others need the room.
    """
    if not isinstance(head, OwnsNetworks):
        return None
    patcher = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    offload = device if keep else comfy.model_management.unet_offload_device()
    return patcher(head.networks, load_device=device, offload_device=offload)


def load_in_host(name: str, options: Mapping[str, Any] | None = None, *, device: str = "auto") -> LoadedTalkingHead:
    """Load a talking head for this host.

    Args:
        name: The talking head.
        options: Its options that differ from their defaults.
        device: One of :data:`.host.DEVICES`.

    Returns:
        The talking head, its networks in the host's care.

    Raises:
        InputError: The name or an option is unknown, or a value is not allowed.
        WeightsError: A model file is missing; the message names the host's model folder.
    """
    where = torch.device("cpu") if device == "cpu" else comfy.model_management.get_torch_device()
    resources = Resources(device=where, folders=model_folders(), progress=HostProgress())
    head = talking_heads.create(name, options, resources)
    patcher = in_care_of_host(head, where, keep=device == "keep loaded")
    return LoadedTalkingHead(name=name, head=head, device=where, patcher=patcher)


def ready(loaded: LoadedTalkingHead) -> TalkingHead:
    """The talking head with its networks on its device, and room made there to draw."""
    if loaded.patcher is not None:
        room = getattr(loaded.head, "working_memory", DRAWING_MEMORY)
        # these are plain layers, which cannot fetch their weights one by one
        comfy.model_management.load_models_gpu([loaded.patcher], memory_required=room, force_full_load=True)
    return loaded.head


def drawing_head(
    name: str, options: Mapping[str, Any], loaded: LoadedTalkingHead | None = None
) -> tuple[dict[str, Any], torch.device]:
    """Decide who draws, and where.

    Args:
        name: The talking head that was named.
        options: Its options that differ from their defaults.
        loaded: One that was connected, which is used instead.

    Returns:
        What an ``EditConfig`` says of the talking head, and its device. The embedded one keeps its name, by which the
        library knows it as the one that a clip may do without.

    Raises:
        InputError: There is no such talking head.
        WeightsError: Its model files are missing.
    """
    if loaded is None and name == talking_heads.names()[0]:
        return {"talking_head": name, "talking_head_options": options}, work_device()
    loaded = loaded or load_in_host(name, options)
    return {"talking_head": ready(loaded)}, loaded.device


def described(loaded: LoadedTalkingHead) -> str:
    """Size, device and terms, for the user."""
    facts = [f"{loaded.name} on {loaded.device}"]
    if loaded.patcher is not None:
        facts.append(f"{loaded.patcher.model_size() / 1e6:.0f} MB of weights")
    facts += [f"{model.name}: {model.terms}" for model in talking_heads.back_end(loaded.name).models]
    return ", ".join(facts)


def device_input() -> io.Input:
    """Where a talking head draws."""
    return io.Combo.Input(
        "device",
        options=list(DEVICES),
        default="auto",
        tooltip="auto: on the host's device, moved away when other models need the memory. keep loaded: "
        "stays there. cpu: slow, but takes no graphics memory.",
    )


def loaded_outputs() -> list[io.Output]:
    """What every node gives that loads a talking head."""
    return [
        TalkingHeadSocket.Output(display_name="model", tooltip="For Redraw Lips."),
        io.String.Output(display_name="about", tooltip="Its device, size and licence."),
    ]


_HEAD = talking_head_choice(without=("precision", "compiled"))


class TalkingHeadLoader(io.ComfyNode):
    """THFEM_TalkingHeadLoader: loads once; the host caches the result and looks after the memory."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        shared = option_inputs(talking_heads)
        return schema(
            node_id="THFEM_TalkingHeadLoader",
            display_name="Talking Head Loader (THFEM)",
            category=f"{CATEGORY}/talking head",
            description="Load a talking head once, with a precision and a device, for Redraw Lips. The "
            "host moves it and frees its memory as it does with other models. The nodes of each talking head have "
            "all of its options.",
            search_aliases=["load model", "model loader", "EAT", "EAMM", "checkpoint"],
            # saved graphs store values by position
            inputs=[_HEAD.input(), shared["precision"], device_input(), shared["compiled"]],
            outputs=loaded_outputs(),
        )

    @classmethod
    def validate_inputs(cls, talking_head: Any = None) -> bool | str:
        return check_choice(_HEAD, talking_head)

    @classmethod
    def execute(cls, device: str, **inputs: Any) -> io.NodeOutput:
        head, options = _HEAD.chosen(cls, inputs)
        loaded = load_in_host(head, {**options, **chosen_options(talking_heads, head, inputs)}, device=device)
        return io.NodeOutput(loaded, described(loaded))
