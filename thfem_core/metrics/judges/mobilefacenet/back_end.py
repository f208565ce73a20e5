"""What MobileFaceNet declares of itself."""

from ....weights.model import Model, ModelFile
from ...network_catalogue import IDENTITY_COSINE
from ..spec import JudgeSpec

MOBILEFACENET = Model(
    name="mobilefacenet",
    purpose="offline identity measure",
    origin="manual",
    files=(ModelFile(role="weights", names=("mobilefacenet.pt",)),),
    licence="Apache-2.0 (its repository)",
    commercial=None,
    link="https://github.com/foamliu/MobileFaceNet",
)

BACK_END = JudgeSpec(
    summary="small face-recognition network, offline stand-in for identity",
    factory="judge:load_mobilefacenet",
    models=(MOBILEFACENET,),
    title="MobileFaceNet",
    kind="identity",
    official=False,
    measures=(IDENTITY_COSINE,),
)
