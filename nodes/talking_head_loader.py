"""Talking Head Loader: which talking head, how precise, on which device; its networks in the host's care."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import comfy.model_management
import comfy.model_patcher
import folder_paths
import torch
from comfy_api.latest import io

from ..thfem_core.networks.precision import Precision
from ..thfem_core.talking_head.head import OwnsNetworks, TalkingHead, talking_heads
from ..thfem_core.talking_head.loading import load_talking_head
from ..thfem_core.weights.manifest import MODELS
from .host import CATEGORY, MODEL_FOLDER, HostProgress, schema, work_device
from .payloads import LoadedTalkingHead, TalkingHeadSocket

DEVICES = ("auto", "keep loaded", "cpu")
DRAWING_MEMORY = 4 * 2**30  # bytes asked of the host: the large ones draw some forty pictures at once on a card


def model_folders() -> tuple[Path, ...]:
    """``models/thfem`` and what extra_model_paths.yaml adds to it."""
    return tuple(map(Path, folder_paths.get_folder_paths(MODEL_FOLDER)))


def in_care_of_host(head: TalkingHead, device: torch.device, *, keep: bool) -> object | None:
    """The host's handle on the networks of a talking head; None where it has none to hand over.

    The host moves them to ``device`` when they are needed and, unless they are to be kept, back to ordinary memory when
    others need the room.
    """
    if not isinstance(head, OwnsNetworks):
        return None
    patcher = getattr(comfy.model_patcher, "CoreModelPatcher", comfy.model_patcher.ModelPatcher)
    offload = device if keep else comfy.model_management.unet_offload_device()
    return patcher(head.networks, load_device=device, offload_device=offload)


def load_in_host(
    name: str, *, precision: Precision = "auto", device: str = "auto", compiled: bool = False
) -> LoadedTalkingHead:
    """A talking head for this host. Raises InputError, or WeightsError that names the host's model folder."""
    where = torch.device("cpu") if device == "cpu" else comfy.model_management.get_torch_device()
    folders, progress = model_folders(), HostProgress()
    head = load_talking_head(
        name, precision=precision, device=where, compiled=compiled, folders=folders, progress=progress
    )
    patcher = in_care_of_host(head, where, keep=device == "keep loaded")
    return LoadedTalkingHead(name=name, head=head, device=where, patcher=patcher)


def ready(loaded: LoadedTalkingHead) -> TalkingHead:
    """The talking head with its networks on its device, and room made there to draw."""
    if loaded.patcher is not None:
        room = getattr(loaded.head, "working_memory", DRAWING_MEMORY)
        # these are plain layers, which cannot fetch their weights one by one
        comfy.model_management.load_models_gpu([loaded.patcher], memory_required=room, force_full_load=True)
    return loaded.head


def drawing_head(name: str, loaded: LoadedTalkingHead | None) -> tuple[str | TalkingHead, torch.device]:
    """Who draws and where: a loaded talking head, or one by name. The embedded one keeps its name, by which the library
    knows it as the one a clip may do without. Raises InputError or WeightsError."""
    if loaded is None and name == talking_heads.names()[0]:
        return name, work_device()
    loaded = loaded or load_in_host(name)
    return ready(loaded), loaded.device


def described(loaded: LoadedTalkingHead) -> str:
    """Size, device and terms, for the user."""
    facts = [f"{loaded.name} on {loaded.device}"]
    if loaded.patcher is not None:
        facts.append(f"{loaded.patcher.model_size() / 1e6:.0f} MB of weights")
    facts += [model.terms for model in MODELS if model.name == loaded.name]
    return ", ".join(facts)


class TalkingHeadLoader(io.ComfyNode):
    """THFEM_TalkingHeadLoader: loads once; the host caches the result and looks after the memory."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_TalkingHeadLoader",
            display_name="Talking Head Loader (THFEM)",
            category=f"{CATEGORY}/talking head",
            description="Load a talking head once, with a precision and a device, for Adjacent-Frame Talking Head. The "
            "host moves it and frees its memory as it does with other models.",
            search_aliases=["load model", "model loader", "EAT", "EAMM", "checkpoint"],
            inputs=[
                io.Combo.Input(
                    "talking_head",
                    options=list(talking_heads.names()),
                    default=talking_heads.names()[0],
                    tooltip="mouth: the embedded model. Others need their official files in models/thfem; "
                    "without them, the message says which and where from.",
                ),
                io.Combo.Input(
                    "precision",
                    options=list(get_args(Precision)),
                    default="auto",
                    tooltip="auto: bf16 where the card computes it natively, else fp32. fp32: exact. bf16: half the "
                    "memory, faster on recent cards.",
                ),
                io.Combo.Input(
                    "device",
                    options=list(DEVICES),
                    default="auto",
                    tooltip="auto: on the host's device, moved away when other models need the memory. keep loaded: "
                    "stays there. cpu: slow, but takes no graphics memory.",
                ),
                io.Boolean.Input(
                    "compiled",
                    default=False,
                    optional=True,
                    tooltip="Compile the drawing network of eat or eamm (torch.compile): the first windows take "
                    "minutes, for a gain in long clips on a graphics card. Needs triton there, a C++ compiler on the "
                    "CPU.",
                ),
            ],
            outputs=[
                TalkingHeadSocket.Output(display_name="model", tooltip="For Adjacent-Frame Talking Head."),
                io.String.Output(display_name="about", tooltip="Its device, size and licence."),
            ],
        )

    @classmethod
    def execute(cls, talking_head: str, precision: Precision, device: str, compiled: bool = False) -> io.NodeOutput:
        loaded = load_in_host(talking_head, precision=precision, device=device, compiled=compiled)
        return io.NodeOutput(loaded, described(loaded))
