"""LivePortrait's model files on the Hugging Face hub."""

from __future__ import annotations

from ...weights.model import Model, ModelFile

_NAMES = {
    "appearance": "appearance_feature_extractor",
    "motion": "motion_extractor",
    "warping": "warping_module",
    "decoder": "spade_generator",
    "stitching": "stitching_retargeting_module",
}
# Size in bytes, else megabytes, and sha256, as mirrors of the conversion have them.
_PUBLISHED: dict[str, tuple[int | None, float | None, str | None]] = {
    "appearance": (None, 3.4, None),
    "motion": (112496256, None, "3568cd410e29d046771acb55ecfdfe4c7c197d345bd8b7f95942ef63130b6c9e"),
    "warping": (182158564, None, "f7b7834bd6039b4088f72e5161e60ad366f68a3763df8a3eac0bc0f9d46fdbbf"),
    "decoder": (221771768, None, "ca04fbec765745e9eae836d2d7522c274647b277ce5f25104fa1705b75222212"),
    "stitching": (None, 0.9, None),  # two conversions with other keys share this name, and both will do
}
_TERMS = "MIT (code and weights; converted by others)"

LIVEPORTRAIT = Model(
    name="liveportrait",
    purpose="expression editor LivePortrait",
    origin="hub",
    repo="Kijai/LivePortrait_safetensors",
    files=tuple(
        ModelFile(
            role=role,
            names=(f"{name}.safetensors", f"{name}.pth"),
            size=_PUBLISHED[role][0],
            megabytes=_PUBLISHED[role][1],
            sha256=_PUBLISHED[role][2],
        )
        for role, name in _NAMES.items()
    ),
    licence=_TERMS,
    commercial=True,
    link="https://huggingface.co/Kijai/LivePortrait_safetensors",
    note="the files in its folder `animal` are another model under the same names; the original .pth files work too",
)
LIVEPORTRAIT_MIT = Model(
    name="liveportrait-mit",
    purpose="the same files, in a repository tagged MIT",
    origin="hub",
    repo="AEmotionStudio/liveportrait-models",
    files=tuple(ModelFile(role=role, names=(f"{name}.safetensors",)) for role, name in _NAMES.items()),
    licence="MIT",
    commercial=True,
    link="https://huggingface.co/AEmotionStudio/liveportrait-models",
    note="used where it is here and `liveportrait` is not; fetch one of the two",
)
