"""The model files of the group's protocol beside SyncNet's; no network is imported."""

from __future__ import annotations

from ...weights.model import Model, ModelFile

RESNETFACE18 = Model(
    name="resnetface18",
    purpose="FAD of the paper group's protocol (cdrl)",
    origin="manual",
    files=(ModelFile(role="weights", names=("resnet18_110.pth", "arcface_resnet18.pth")),),
    licence=None,
    commercial=None,
    link="https://github.com/ronghuaiyang/arcface-pytorch",
    note="published on Google Drive; GFPGAN's release v0.1.0 has a file of the same network, arcface_resnet18.pth, "
    "whose numbers may differ",
)
EFFICIENTFACE_AFFECTNET = Model(
    name="efficientface-affectnet7",
    purpose="CSIM of the paper group's protocol (cdrl)",
    origin="manual",
    files=(ModelFile(role="weights", names=("EfficientFace_Trained_on_AffectNet7.pth.tar",)),),
    licence=None,
    commercial=None,
    link="https://drive.google.com/file/d/1nwerwDyDqC2ia1Eqa-S6lb2SipwL-hTs",
)
MODELS = (RESNETFACE18, EFFICIENTFACE_AFFECTNET)
