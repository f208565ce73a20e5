"""What the expression editor ``sserd`` declares of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...options import Options, option
from ...registry import BackEnd
from ...weights.model import Model, ModelFile

Noise = Literal["none", "fixed", "random"]

SSERD = Model(
    name="sserd",
    purpose="expression editor SSERD",
    origin="manual",
    files=(ModelFile(role="checkpoint", names=("sserd.pt", "sserd.pth")),),
    licence="MIT repository with non-commercial parts (StyleGANEX, StyleGAN2)",
    commercial=False,
    link="https://github.com/ZH-Xu410/SSERD/releases",
    note="release v1.0.0; rename the checkpoint to the name given here",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SserdOptions(Options):
    """Options of SSERD."""

    noise: Noise = option(
        "none",
        help="Noise of the picture generator: none is steady, fixed draws the same in every frame, random flickers as "
        "the published scripts do.",
        advanced=True,
    )
    seed: int = option(0, help="Seed of random noise.", minimum=0, advanced=True)


BACK_END = BackEnd(
    summary="SSERD: the emotion of a reference clip, by a picture generator; research only, from the user's own file.",
    factory="editor:load",
    options=SserdOptions,
    models=(SSERD,),
)
