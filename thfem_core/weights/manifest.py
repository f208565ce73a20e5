"""Every model file this package can use: purpose, origin, size, checksum, licence. Data only.

What is not known for certain is None, and the commands print "unknown" for it. No commit of a foreign repository is
known to be right, so ``revision`` is None there: size and checksum, where known, and the hub's own checksum guard the
download instead.
"""

from __future__ import annotations

from ..errors import InputError
from ..face.mediapipe.back_end import BACK_END as MEDIAPIPE
from ..metrics.judges.spec import judge_models
from ..talking_head.eamm import back_end as eamm
from ..talking_head.eat import back_end as eat
from ..talking_head.mouth import back_end as mouth
from .model import Model, ModelFile, embedded

_CARD = "MODEL_CARD.md of the package"

EMBEDDED = (
    *MEDIAPIPE.models,
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
        "expression_ratio",
        "wrinkle maps per emotion",
        196904,
        "559d0bbc87c29d4c0399825760720259e052fb4df64168037f2c10db8c8e6002",
        licence="CC BY-NC 4.0",
        commercial=False,
        link=_CARD,
        note="edits work without it: --texture 0",
    ),
    embedded(
        "expression_reader",
        "emotion of a reference clip",
        176196,
        "7d7de4c2b0fe91c30a264e0608e362d23b18922de0c431b05e8a1bc5f64883e8",
        licence="CC BY-NC 4.0",
        commercial=False,
        link=_CARD,
        note="only read for --reference",
    ),
    embedded(
        "spectacles",
        "does a face wear spectacles",
        876,
        "2b68cadf8773cea005bc4e05fb633ad2daabb3597334b35c650e1a5cb2d14246",
        licence="CC BY-NC 4.0",
        commercial=False,
        link=_CARD,
        note="edits work without it: --spectacles no",
    ),
    mouth.MODEL,
)

TALKING_HEADS = (*eat.BACK_END.models, *eamm.BACK_END.models)

TRAINING = (
    Model(
        name="wav2lip-expert",
        purpose="lip-sync expert of Wav2Lip (sync loss)",
        origin="hub",
        repo="Nekochu/Wav2Lip",
        files=(ModelFile(role="weights", names=("lipsync_expert.pth",), size=197357631, sha256="9b9936c7"),),
        licence="none shown; upstream research only",
        commercial=False,
        link="https://huggingface.co/Nekochu/Wav2Lip",
        note="only the first 8 digits of its checksum are known",
    ),
    Model(
        name="vgg19",
        purpose="perceptual loss",
        origin="web",
        files=(ModelFile(role="weights", names=("vgg19-dcbb9e9d.pth",), megabytes=548, sha256="dcbb9e9d"),),
        licence="BSD-3-Clause (torchvision); trained on ImageNet",
        commercial=None,
        link="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    ),
)

MODELS: tuple[Model, ...] = EMBEDDED + TALKING_HEADS + TRAINING + judge_models()


def find_model(name: str) -> Model:
    """The entry of that name. Raises InputError that lists the known names."""
    for model in MODELS:
        if model.name == name:
            return model
    raise InputError(f"unknown model {name!r}; choose one of: {', '.join(model.name for model in MODELS)}")
