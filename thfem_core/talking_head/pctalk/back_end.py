"""What the talking head ``pctalk`` declares of itself."""

from __future__ import annotations

from dataclasses import dataclass

from ...networks.liveportrait.model import LIVEPORTRAIT, LIVEPORTRAIT_MIT
from ...networks.pctalk.model import PCTALK_LIPS
from ...networks.precision import PRECISION_HELP, Precision
from ...options import Options, option
from ...registry import BackEnd


@dataclass(frozen=True, kw_only=True, slots=True)
class PcTalkOptions(Options):
    """Options of PC-Talk's lips."""

    lip_scale: float = option(0.6, help="How far the lips move; its authors recommend 0.6.", minimum=0.0, maximum=1.5)
    person: int = option(
        192,
        help="Whose way of speaking of the training data; 166, 192 and 202 are recommended.",
        minimum=0,
        advanced=True,
    )
    opening: float = option(1.0, help="Factor on opening of the mouth.", minimum=0.0, maximum=3.0, advanced=True)
    widening: float = option(1.0, help="Factor on stretching of the lips.", minimum=0.0, maximum=3.0, advanced=True)
    pursing: float = option(1.0, help="Factor on pursing of the lips.", minimum=0.0, maximum=3.0, advanced=True)
    precision: Precision = option("auto", help=PRECISION_HELP, advanced=True)
    compiled: bool = option(
        False, help="Compile the drawing networks: slow to start, faster in long clips on a card.", advanced=True
    )


BACK_END = BackEnd(
    summary="PC-Talk's lips from sound, drawn by LivePortrait; from files the user brings, their terms are unclear.",
    factory="head:load",
    options=PcTalkOptions,
    models=(PCTALK_LIPS, LIVEPORTRAIT, LIVEPORTRAIT_MIT),
)
