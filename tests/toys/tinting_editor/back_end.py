from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from thfem_core.options import Options, option
from thfem_core.registry import BackEnd


@dataclass(frozen=True, kw_only=True, slots=True)
class TintOptions(Options):
    """Options of the toy editor."""

    brightness: int = option(200, help="Brightness of the corner.", minimum=0, maximum=255)
    corner: Literal["left", "right"] = option("left", help="Which corner is painted.")
    inverted: bool = option(False, help="Paint the opposite brightness.", advanced=True)


BACK_END = BackEnd(summary="Paints a corner, for tests.", factory="editor:TintingEditor", options=TintOptions)
