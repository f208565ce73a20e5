"""What the talking head ``eat`` declares of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...networks.precision import PRECISION_HELP, Precision
from ...options import Options, option
from ...registry import BackEnd
from ...weights.model import Model, ModelFile

Emotion = Literal["neutral", "happy", "angry", "sad", "surprised", "fear", "disgusted"]
# exact: steps of 40 ms, as EAT was trained, around the frame's own moment, at any frame rate.
# thfem-compat: the published pipeline of THFEM, for its weights: steps are frames, meant for 30 per second; mel columns
# of 540 samples, two rows of DeepSpeech per frame (1.2 times too fast), the head pose one frame late.
Timing = Literal["exact", "thfem-compat"]

EAT = Model(
    name="eat",
    purpose="talking head EAT",
    origin="manual",
    files=(
        ModelFile(
            role="checkpoint",
            converted="eat.safetensors",
            names=(
                "00000429-checkpoint.pth.tar",  # fine-tuned by THFEM's authors: preferred where present
                "pretrain_new_274.pth.tar",
                "deepprompt_eam3d_all_final_313.pth.tar",
            ),
        ),
        # the converter packs these three into eat.safetensors
        ModelFile(role="basis", names=("U_mead.npy",), required=False),
        ModelFile(role="mean", names=("mean_mead.npy",), required=False),
        ModelFile(role="silence", names=("pad.npy",), required=False),
    ),
    licence="CC BY-NC 4.0",
    commercial=False,
    link="https://github.com/yuangan/EAT_code",
    note="authors publish on Google Drive only; U_mead.npy, mean_mead.npy and pad.npy are needed beside the "
    "checkpoint, or packed into eat.safetensors by the converter; needs deepspeech too",
)
DEEPSPEECH = Model(
    name="deepspeech",
    purpose="speech features of EAT",
    origin="manual",
    files=(ModelFile(role="graph", converted="deepspeech.safetensors", names=("output_graph.pb",)),),
    licence="MPL-2.0 (its repository)",
    commercial=True,
    link="https://github.com/mozilla/DeepSpeech/releases/download/v0.1.0/deepspeech-0.1.0-models.tar.gz",
    note="version 0.1.0, not a later one; unpack output_graph.pb from the archive",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class EatOptions(Options):
    """Options of EAT."""

    emotion: Emotion = option("neutral", help="What the face shows where the edit does not say.")
    seed: int = option(0, help="Seed of the noise that varies how an emotion looks.", minimum=0, advanced=True)
    timing: Timing = option(
        "exact",
        help="How sound and frames are matched: exact at every frame rate, or as THFEM's published code does, which "
        "suits its own weights at 30 frames per second.",
        advanced=True,
    )
    features: Path | None = option(
        None,
        help="A .npy file with the DeepSpeech features of the clip, (rows, 29) or (frames, 16, 29); the DeepSpeech "
        "network is then not needed.",
        advanced=True,
    )
    precision: Precision = option("auto", help=PRECISION_HELP, advanced=True)
    compiled: bool = option(
        False, help="Compile the drawing network: slow to start, faster in long clips on a card.", advanced=True
    )


BACK_END = BackEnd(
    summary="EAT, the talking head of the paper's results; research only, from files the user brings.",
    factory="head:load",
    options=EatOptions,
    models=(EAT, DEEPSPEECH),
    converters={"eat": "convert:convert", "deepspeech": "deepspeech_convert:convert"},
)
