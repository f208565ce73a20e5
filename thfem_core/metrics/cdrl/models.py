"""The model files of the group's protocol, and loading them."""

from __future__ import annotations

from dataclasses import dataclass

from ...registry import Resources
from ...weights.model import Model, ModelFile
from ..judges.efficientface.network import EfficientFace
from ..judges.loading import load_network
from ..judges.syncnet.back_end import SYNCNET
from ..judges.syncnet.network import SyncNet
from .network import ResNetFace18

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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CdrlNetworks:
    """The three networks of the protocol.

    Attributes:
        identity: of FAD.
        expression: of CSIM, with the AffectNet-7 weights and RAF-DB's mean and deviation.
        sync: of LSE-D.
    """

    identity: ResNetFace18
    expression: EfficientFace
    sync: SyncNet


def load_networks(resources: Resources) -> CdrlNetworks:
    """Load all three. Raises WeightsError that names a missing file and where to get it."""
    return CdrlNetworks(
        identity=load_network(ResNetFace18, RESNETFACE18, resources),
        expression=load_network(EfficientFace, EFFICIENTFACE_AFFECTNET, resources),
        sync=load_network(SyncNet, SYNCNET, resources),
    )
