"""What ArcFace declares of itself."""

from ....weights.model import Model, ModelFile
from ...network_catalogue import FAD, FAD_UNIT, IDENTITY_COSINE
from ..spec import JudgeSpec

ARCFACE = Model(
    name="arcface-iresnet50",
    purpose="FAD (Fréchet ArcFace distance), identity",
    origin="hub",
    repo="lithiumice/ArcFace_PyTorch",
    files=(ModelFile(role="weights", names=("ms1mv3_arcface_r50_fp16.pth",), megabytes=175),),
    licence="none shown; upstream non-commercial",
    commercial=False,
    link="https://huggingface.co/lithiumice/ArcFace_PyTorch",
)

BACK_END = JudgeSpec(
    summary="face-recognition network of the papers: FAD and identity",
    factory="judge:load_arcface",
    models=(ARCFACE,),
    title="ArcFace r50",
    kind="identity",
    official=True,
    measures=(IDENTITY_COSINE, FAD, FAD_UNIT),
)
