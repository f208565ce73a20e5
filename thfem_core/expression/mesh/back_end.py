"""What the expression editor "mesh" declares of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...options import Options, option
from ...registry import BackEnd
from ...weights.model import embedded

SpectaclesMode = Literal["auto", "yes", "no"]
Folds = Literal["light", "mean"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MeshOptions(Options):
    """Options of the mesh editor.

    texture: Gain of the brightness changes that add folds and shades.
    spectacles: Whether the mesh around the eyes stays nearly rigid; ``auto`` decides from the picture.
    folds: Where folds come from: ``light``, from the geometry of the face and the light of the clip; ``mean``, averages
        over actors.
    """

    texture: float = option(1.0, help="Gain of folds and shades: 0 (none) to 2.", minimum=0.0, maximum=2.0)
    spectacles: SpectaclesMode = option(
        "auto", help="Hold spectacle frames rigid: auto (where they are seen), yes or no."
    )
    folds: Folds = option(
        "light",
        help="Folds from the face's geometry and the clip's light, or from averages over actors (mean; research only).",
        advanced=True,
    )


_CARD = "MODEL_CARD.md of the package"

BACK_END = BackEnd(
    summary="The embedded geometric editor: moves a face mesh, the picture follows.",
    factory="editor:MeshEditor",
    options=MeshOptions,
    permissive={"folds": ("light",)},
    models=(
        embedded(
            "face_basis",
            "action units of the face mesh",
            178136,
            "2ae77b5666a53e4603153d2463519654826f582b00a94a89b03df12859d75477",
            licence="MIT",
            commercial=True,
            link="https://github.com/ICT-VGL/ICT-FaceKit",
        ),
        embedded(
            "fold_maps",
            "folds of the skin per action unit",
            2213176,
            "e026681b7d88971d1b1dcbe99c30a05adf107377368e858fa8f3d79e823ecd94",
            licence="MIT",
            commercial=True,
            link="https://github.com/ICT-VGL/ICT-FaceKit",
        ),
        embedded(
            "expression_ratio",
            "wrinkle maps per emotion",
            196904,
            "559d0bbc87c29d4c0399825760720259e052fb4df64168037f2c10db8c8e6002",
            licence="CC BY-NC 4.0",
            commercial=False,
            link=_CARD,
            note="only read for --folds mean",
        ),
    ),
)
