"""What the network of face-api.js declares of itself."""

from ....weights.model import Model, ModelFile
from ...measure import unranged
from ...network_catalogue import CSIM, CSIM_MEAN, TARGET
from ..spec import JudgeSpec

FACE_API = Model(
    name="face-api",
    purpose="offline expression measure",
    origin="manual",
    files=(
        ModelFile(role="shard", names=("face_expression_model-shard1",)),
        ModelFile(role="layout", names=("face_expression_model-weights_manifest.json",)),
    ),
    licence="MIT",
    commercial=True,
    link="https://github.com/justadudewhohacks/face-api.js/tree/master/weights",
)

BACK_END = JudgeSpec(
    summary="expression network of face-api.js, the best of the offline stand-ins",
    factory="judge:load_face_api",
    models=(FACE_API,),
    title="face-api",
    kind="expression",
    official=False,
    measures=(TARGET, unranged(CSIM), unranged(CSIM_MEAN)),
)
