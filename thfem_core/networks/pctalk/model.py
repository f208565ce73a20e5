"""PC-Talk's model files: users fetch them themselves, since their terms are unclear."""

from __future__ import annotations

from ...weights.model import Model, ModelFile

_LINK = "https://huggingface.co/doubi-killer/PC-Talk"
_NOTE = "terms of code and weights are unclear: read them, fetch the files yourself"

PCTALK_EMOTION = Model(
    name="pctalk-emotion",
    purpose="emotion from sound for LivePortrait",
    origin="manual",
    files=(
        ModelFile(role="encoder", names=("audio_encoder.pth",), megabytes=11),
        ModelFile(role="emotion", names=("emc.pth",), megabytes=42),
    ),
    licence=None,
    commercial=None,
    link=_LINK,
    note=_NOTE,
)
PCTALK_LIPS = Model(
    name="pctalk-lips",
    purpose="lips from sound: talking head PC-Talk, editor LivePortrait",
    origin="manual",
    files=(
        ModelFile(role="encoder", names=("audio_encoder.pth",), megabytes=11),
        ModelFile(role="lips", names=("lac.pth",), megabytes=14),
    ),
    licence=None,
    commercial=None,
    link=_LINK,
    note=f"{_NOTE}; needs liveportrait too",
)
PCTALK_STYLE = Model(
    name="pctalk-style",
    purpose="a speaking style for lips from sound",
    origin="manual",
    files=(ModelFile(role="style", names=("style_encoder.pth",), megabytes=20),),
    licence=None,
    commercial=None,
    link=_LINK,
    note=f"{_NOTE}; only for --speaking-style",
)
