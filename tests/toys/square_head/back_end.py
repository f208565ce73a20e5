from __future__ import annotations

from dataclasses import dataclass

from thfem_core.options import Options, option
from thfem_core.registry import BackEnd


@dataclass(frozen=True, kw_only=True, slots=True)
class SquareOptions(Options):
    """Options of the toy talking head."""

    brightness: int = option(50, help="Brightness of the square.", minimum=0, maximum=255)
    square_side: int = option(40, help="Pixels.", minimum=1, maximum=100)


BACK_END = BackEnd(summary="Draws a square, for tests.", factory="head:SquareHead", options=SquareOptions)
