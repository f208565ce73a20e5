"""What differs between hosts, and the host's services in the terms of thfem_core.

Hosts from 0.3.75 on are supported; what came later is used where :func:`schema` and ``hasattr`` find it.
"""

from __future__ import annotations

import dataclasses
import os
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import folder_paths
import torch
from comfy.model_patcher import ModelPatcher
from comfy.patcher_extension import CallbacksMP
from comfy_api.latest import io
from PIL import Image

from ..thfem_core.loaded import release_networks
from ..thfem_core.media.frame import Frame
from .notices import show_frame, show_stage

MODEL_FOLDER = "thfem"
CATEGORY = "THFEM"
DEVICES = ("auto", "keep loaded", "cpu")  # where networks draw; auto moves them away when others need the memory
_SECONDS_PER_PICTURE, _PICTURE_SIDE = 0.5, 512
WORKING_MEMORY = 512 * 2**20  # bytes: networks, and the windows of a few frames they look at


def schema(**fields: Any) -> io.Schema:
    """``io.Schema`` without the fields (search aliases, …) that this host does not know yet."""
    known = {field.name for field in dataclasses.fields(io.Schema)}
    return io.Schema(**{name: value for name, value in fields.items() if name in known})


def advanced(*inputs: io.Input) -> list[io.Input]:
    """Inputs that few users need; hosts that can fold them away."""
    for each in inputs:
        if hasattr(each, "advanced"):
            each.advanced = True
    return list(inputs)


def slider(name: str, *, default: float, minimum: float, maximum: float, step: float, tooltip: str) -> io.Input:
    """A number that is chosen by a slider."""
    return io.Float.Input(
        name,
        default=default,
        min=minimum,
        max=maximum,
        step=step,
        display_mode=io.NumberDisplay.slider,
        tooltip=tooltip,
    )


def register_model_folder() -> None:
    """Make ``models/thfem`` known, so that extra_model_paths.yaml can add to it."""
    folder_paths.add_model_folder_path(MODEL_FOLDER, os.path.join(folder_paths.models_dir, MODEL_FOLDER))
    paths, extensions = folder_paths.folder_names_and_paths[MODEL_FOLDER]
    # an empty set of extensions would list every file
    folder_paths.folder_names_and_paths[MODEL_FOLDER] = (
        paths,
        set(extensions) | folder_paths.supported_pt_extensions,
    )


def model_folders() -> tuple[Path, ...]:
    """``models/thfem`` and what extra_model_paths.yaml adds to it."""
    return tuple(map(Path, folder_paths.get_folder_paths(MODEL_FOLDER)))


def work_device() -> torch.device:
    """The device the host computes on, with room made on it for the embedded networks, which the host may unload."""
    comfy.model_management.load_models_gpu([_embedded_networks()], memory_required=WORKING_MEMORY)
    return comfy.model_management.get_torch_device()


@cache
def _embedded_networks() -> ModelPatcher:
    """What the host unloads in place of the embedded networks: they are forgotten then, and loaded again when needed.

    They weigh a few MB and are shared by all nodes, so the host holds an empty module for them rather than each.
    """
    device = comfy.model_management.get_torch_device()
    patcher = ModelPatcher(torch.nn.Module(), device, comfy.model_management.unet_offload_device())

    def detached(_: ModelPatcher, unpatch_all: bool) -> None:
        if unpatch_all:  # otherwise the host only moves it to the front of its list
            release_networks()

    patcher.add_callback(CallbacksMP.ON_DETACH, detached)
    return patcher


class HostProgress:
    """A thfem_core ``Progress`` that moves the node's bar and stops when the user cancels.

    stages: how many kinds of work the node does one after another; each gets an equal part of the bar.
    """

    def __init__(self, stages: int = 1) -> None:
        self._stages = stages
        self._index = -1
        self._last = ("", 0)
        self._picture: tuple[str, Image.Image, int] | None = None
        self._bar = comfy.utils.ProgressBar(stages)

    def shown(
        self, frames: Generator[Frame, None, None], *, before_video: bool = False
    ) -> Generator[Frame, None, None]:
        """Show frames on the node as they pass, about two a second.

        before_video: Whether the node shows a video in the end. A front end that has seen one of the host's own
            preview pictures would not show it, so the pack's script shows the frames.
        """
        last = 0.0
        with closing(frames):
            for frame in frames:
                if time.monotonic() - last >= _SECONDS_PER_PICTURE:
                    last = time.monotonic()
                    scale = min(1.0, _PICTURE_SIDE / max(frame.width, frame.height))
                    small = frame.thumbnail(max(1, int(frame.width * scale)), max(1, int(frame.height * scale)))
                    if before_video:
                        show_frame(Image.fromarray(small))
                    else:
                        self._picture = ("JPEG", Image.fromarray(small), _PICTURE_SIDE)
                yield frame

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        # the bar's own hook notices a cancelled run only on hosts and at times it is connected
        comfy.model_management.throw_exception_if_processing_interrupted()
        name, before = self._last
        if stage != name or done < before:  # the same work may come twice, on a reference and on the clip
            self._index += 1
            show_stage(f"{stage} …")
        if total and done == total:
            show_stage(f"{stage}: done")  # stays on the node unless another stage follows
        self._last = (stage, done)
        length = max(total, done, 1) if total else done + 1
        picture, self._picture = self._picture, None
        total = max(self._stages, self._index + 1) * length
        self._bar.update_absolute(self._index * length + done, total, preview=picture)


@contextmanager
def new_temp_file(stem: str, suffix: str) -> Iterator[Path]:
    """A fresh path in the host's temp folder (which the host empties); removed again if the work fails."""
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}_{uuid.uuid4().hex[:12]}{suffix}"
    try:
        yield path
    except BaseException:  # a cancelled run is no Exception on newer hosts
        path.unlink(missing_ok=True)
        raise


def is_temporary(path: str) -> bool:
    """Whether a file lies, or lay, in the host's temp folder."""
    folder = os.path.abspath(folder_paths.get_temp_directory())
    return os.path.abspath(path).startswith(folder + os.sep)
