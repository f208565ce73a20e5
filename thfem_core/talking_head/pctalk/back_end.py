"""What the talking head ``pctalk`` declares of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...networks.liveportrait.model import LIVEPORTRAIT, LIVEPORTRAIT_MIT
from ...networks.pctalk.model import PCTALK_LIPS, PCTALK_STYLE
from ...networks.pctalk.options import LIP_SCALE, LIP_SCALE_HELP, PERSON, PERSON_HELP, SPEAKING_STYLE_HELP
from ...networks.precision import PRECISION_HELP, Precision
from ...options import Options, option
from ...registry import BackEnd


@dataclass(frozen=True, kw_only=True, slots=True)
class PcTalkOptions(Options):
    """Options of PC-Talk's lips."""

    lip_scale: float = option(LIP_SCALE, help=LIP_SCALE_HELP, minimum=0.0, maximum=1.5)
    speaking_style: Any = option(None, help=SPEAKING_STYLE_HELP, clip=True)
    person: int = option(PERSON, help=PERSON_HELP, minimum=0, advanced=True)
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
    models=(PCTALK_LIPS, PCTALK_STYLE, LIVEPORTRAIT, LIVEPORTRAIT_MIT),
)
