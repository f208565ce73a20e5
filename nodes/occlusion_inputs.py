"""The inputs that say what stays in front of a face, and which parts may be used at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from comfy_api.latest import io

from ..thfem_core.pipeline.licence import LICENCES, Licence
from ..thfem_core.pipeline.occlusion import Occlusion
from .host import advanced
from .video_sockets import clip_from_socket

_OCCLUSION = ("auto", "off")


def occlusion_inputs() -> list[io.Input]:
    """Optional, at the end of a node's inputs: saved graphs store values by position."""
    return [
        *advanced(
            io.Combo.Input(
                "occlusion",
                options=list(_OCCLUSION),
                default=_OCCLUSION[0],
                optional=True,
                tooltip="What passes in front of a face (hands, microphones, captions) stays as it is. off: the edit "
                "goes over it.",
            ),
            io.Combo.Input(
                "licence",
                options=list(LICENCES),
                default=LICENCES[0],
                optional=True,
                tooltip="commercial: use only parts whose licence allows that, and say what is left out.",
            ),
        ),
        io.Mask.Input(
            "in_front",
            optional=True,
            tooltip="Your own mask of what is in front of faces, in place of occlusion: white stays as it is. One mask "
            "for all frames, or one for each.",
        ),
    ]


def occlusion_and_licence(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Read :func:`occlusion_inputs`.

    Args:
        inputs: Values of a node's inputs by name; graphs of older versions lack these.

    Returns:
        Fields of an :class:`..thfem_core.pipeline.EditConfig`.
    """
    mask: torch.Tensor | None = inputs.get("in_front")
    occlusion: Occlusion = inputs.get("occlusion", _OCCLUSION[0])
    if mask is not None and not mask.any():
        occlusion = "off"  # such as the 64 x 64 mask that the host gives of a picture without transparency
    elif mask is not None:
        masks = mask if mask.ndim == 3 else mask[None]
        # one mask stands for all frames, whatever its time
        occlusion = clip_from_socket(masks[..., None].expand(-1, -1, -1, 3), fps=25.0)
    licence: Licence = inputs.get("licence", LICENCES[0])
    return {"occlusion": occlusion, "licence": licence}
