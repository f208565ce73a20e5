"""What the expression editor ``ned`` declares of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...options import Options, option
from ...registry import BackEnd
from ...weights.model import Model, ModelFile

# In which order a checkpoint's training numbered the emotions.
LabelOrder = Literal["ned", "alphabetical"]

MANIPULATOR = Model(
    name="ned-manipulator",
    purpose="expression editor NED: translation of expressions",
    origin="manual",
    files=(ModelFile(role="manipulator", names=("02_nets_finetuned.pth", "05_nets_finetuned.pth")),),
    licence="MIT repository; trained on MEAD and Aff-Wild2",
    commercial=None,
    link="https://github.com/foivospar/NED",
    note="of NED, SCMCL, CDRL, ASCCL or STCCL; CDRL's numbers emotions alphabetically: --label-order alphabetical",
)
RENDERER = Model(
    name="ned-renderer",
    purpose="expression editor NED: renderer of one person",
    origin="manual",
    files=(ModelFile(role="renderer", names=("net_G.pth", "01_net_G.pth", "20_net_G.pth")),),
    licence="MIT repository",
    commercial=None,
    link="https://github.com/foivospar/NED",
    note="trained on the person in the clip; several people: name the file by --renderer",
)
DECA = Model(
    name="deca",
    purpose="expression editor NED: reads a face's parameters",
    origin="manual",
    files=(ModelFile(role="networks", names=("deca_model.tar",)),),
    licence="MPI, non-commercial",
    commercial=False,
    link="https://deca.is.tue.mpg.de",
    note="needs registration; --conditions FOLDER works without it",
)
FLAME = Model(
    name="flame",
    purpose="expression editor NED: 3-D head model",
    origin="manual",
    files=(ModelFile(role="model", converted="flame.safetensors"),),
    licence="FLAME licence, non-commercial",
    commercial=False,
    link="https://flame.is.tue.mpg.de",
    note="needs registration; `models convert flame generic_model.pkl landmark_embedding.npy head_template.obj "
    "fixed_displacement_256.npy uv_face_eye_mask.png` makes flame.safetensors (all but the first from DECA's data)",
)
SEGMENTATION = Model(
    name="ned-segmentation",
    purpose="expression editor NED: face pixels",
    origin="manual",
    files=(ModelFile(role="network", names=("lfw_figaro_unet_256_2_0_segmentation_v1.pth",), required=False),),
    licence=None,
    commercial=None,
    link="https://github.com/YuvalNirkin/fsgan",
    note="by request form; without it the outline of the face mesh is taken",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NedOptions(Options):
    """Options of NED."""

    renderer: Path | None = option(None, help="The renderer's file, trained on the person in the clip.")
    conditions: Path | None = option(
        None,
        help="A folder with precomputed condition pictures in nmfcs/, shapes/, eyes/ and masks/, one per frame, "
        "aligned to NED's template; FLAME, DECA and the manipulator are then not needed.",
        advanced=True,
    )
    label_order: LabelOrder = option(
        "ned", help="How the manipulator numbers emotions: as NED and SCMCL, or alphabetical as CDRL.", advanced=True
    )
    seed: int = option(0, help="Seed of the noise that varies how an emotion looks.", minimum=0, advanced=True)


BACK_END = BackEnd(
    summary="NED and its variants: a 3-D face model and a renderer of the person; from files the user brings.",
    factory="loading:load",
    options=NedOptions,
    models=(MANIPULATOR, RENDERER, DECA, FLAME, SEGMENTATION),
    converters={"flame": "flame_convert:convert"},
)
