"""What the talking head ``eamm`` declares of itself."""

from __future__ import annotations

from dataclasses import dataclass

from ...networks.precision import PRECISION_HELP, Precision
from ...options import Options, option
from ...registry import BackEnd
from ...weights.model import Model, ModelFile

EAMM = Model(
    name="eamm",
    purpose="talking head EAMM",
    origin="manual",
    files=(ModelFile(role="checkpoint", converted="eamm.safetensors"),),
    licence="MIT",
    commercial=True,
    link="https://github.com/jixinya/EAMM",
    note="authors publish on Google Drive only, in several checkpoint files: `models convert eamm FILE ...` makes "
    "eamm.safetensors of them",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class EammOptions(Options):
    """Options of EAMM."""

    emotional: bool = option(
        False, help="Move the lips also by the emotion that the edited frames show; the paper does not."
    )
    precision: Precision = option("auto", help=PRECISION_HELP, advanced=True)
    compiled: bool = option(
        False, help="Compile the drawing network: slow to start, faster in long clips on a card.", advanced=True
    )


BACK_END = BackEnd(
    summary="EAMM, with weights under the MIT licence, from files the user brings.",
    factory="head:load",
    options=EammOptions,
    models=(EAMM,),
    converters={"eamm": "convert:convert"},
)
