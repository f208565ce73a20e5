"""What EfficientFace declares of itself."""

from ....weights.model import Model, ModelFile
from ...network_catalogue import CSIM, CSIM_MEAN, TARGET
from ..spec import JudgeSpec

EFFICIENTFACE = Model(
    name="efficientface-rafdb",
    purpose="CSIM (expression cosine), RAF-DB",
    origin="manual",
    files=(ModelFile(role="weights", names=("efficientface_rafdb.pth",)),),
    licence=None,
    commercial=None,
    link="https://drive.google.com/file/d/1W_3JT2_c_2R18kPTUUfX5QvQM2km7APC",
    note="rename the downloaded file to the name given here",
)

BACK_END = JudgeSpec(
    summary="expression network of the paper: CSIM and seven emotions",
    factory="judge:load_efficientface",
    models=(EFFICIENTFACE,),
    title="EfficientFace (RAF-DB)",
    kind="expression",
    official=True,
    measures=(TARGET, CSIM, CSIM_MEAN),
)
