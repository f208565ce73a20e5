"""Every model file this package can use: purpose, origin, size, checksum, licence. Data only.

What is not known for certain is None, and the commands print "unknown" for it. No commit of a foreign repository is
known to be right, so ``revision`` is None there: size and checksum, where known, and the hub's own checksum guard the
download instead.
"""

from __future__ import annotations

from ..errors import InputError
from ..face.mediapipe.back_end import BACK_END as MEDIAPIPE
from ..talking_head.eamm import back_end as eamm
from ..talking_head.eat import back_end as eat
from ..talking_head.mouth import back_end as mouth
from .model import Model, ModelFile, embedded

_CARD = "MODEL_CARD.md of the package"
_DRIVE = "https://drive.google.com/file/d/"

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
    embedded(
        "mouth_sync",
        "do lips and sound go together (offline measure)",
        701636,
        "be5a046692aa4db0c93177a7e6679ea254862c63cfbe610fb833851671c22a3b",
        licence="CC BY-NC 4.0",
        commercial=False,
        link=_CARD,
        note="edits work without it: --networks none",
    ),
    mouth.MODEL,
)

TALKING_HEADS = (*eat.BACK_END.models, *eamm.BACK_END.models)

METRICS = (
    Model(
        name="arcface-iresnet50",
        purpose="FAD (Fréchet ArcFace distance), identity",
        origin="hub",
        repo="lithiumice/ArcFace_PyTorch",
        files=(ModelFile(role="weights", names=("ms1mv3_arcface_r50_fp16.pth",), megabytes=175),),
        licence="none shown; upstream non-commercial",
        commercial=False,
        link="https://huggingface.co/lithiumice/ArcFace_PyTorch",
    ),
    Model(
        name="efficientface-rafdb",
        purpose="CSIM (expression cosine), RAF-DB",
        origin="manual",
        files=(ModelFile(role="weights", names=("efficientface_rafdb.pth",)),),
        licence=None,
        commercial=None,
        link=f"{_DRIVE}1W_3JT2_c_2R18kPTUUfX5QvQM2km7APC",
        note="rename the downloaded file to the name given here",
    ),
    Model(
        name="efficientface-affectnet",
        purpose="CSIM (expression cosine), AffectNet-7",
        origin="manual",
        files=(ModelFile(role="weights", names=("efficientface_affectnet.pth",)),),
        licence=None,
        commercial=None,
        link=f"{_DRIVE}1nwerwDyDqC2ia1Eqa-S6lb2SipwL-hTs",
        note="rename the downloaded file to the name given here",
    ),
    Model(
        name="syncnet",
        purpose="LSE-D, LSE-C (SyncNet v2)",
        origin="hub",
        repo="lithiumice/syncnet",
        files=(ModelFile(role="weights", names=("syncnet_v2.model",), megabytes=54.6),),
        licence=None,
        commercial=None,
        link="https://huggingface.co/lithiumice/syncnet",
        note="its code is MIT",
    ),
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
    Model(
        name="vgg16",
        purpose="LPIPS",
        origin="web",
        files=(ModelFile(role="weights", names=("vgg16-397923af.pth",), megabytes=528, sha256="397923af"),),
        licence="BSD-3-Clause (torchvision); trained on ImageNet",
        commercial=None,
        link="https://download.pytorch.org/models/vgg16-397923af.pth",
    ),
)

MODELS: tuple[Model, ...] = EMBEDDED + TALKING_HEADS + METRICS


def find_model(name: str) -> Model:
    """The entry of that name. Raises InputError that lists the known names."""
    for model in MODELS:
        if model.name == name:
            return model
    raise InputError(f"unknown model {name!r}; choose one of: {', '.join(model.name for model in MODELS)}")
