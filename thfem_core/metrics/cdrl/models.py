"""Loading the networks of the group's protocol."""

from __future__ import annotations

from dataclasses import dataclass

from ...registry import Resources
from ..judges.efficientface.network import EfficientFace
from ..judges.loading import load_network
from ..judges.syncnet.back_end import SYNCNET
from ..judges.syncnet.network import SyncNet
from .model_files import EFFICIENTFACE_AFFECTNET, RESNETFACE18
from .network import ResNetFace18


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
