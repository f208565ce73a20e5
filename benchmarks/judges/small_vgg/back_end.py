"""What the small VGG declares of itself."""

from thfem_core.metrics.judges.spec import JudgeSpec
from thfem_core.metrics.measure import unranged
from thfem_core.metrics.network_catalogue import CSIM, CSIM_MEAN, TARGET
from thfem_core.weights.model import Model, ModelFile

SMALL_VGG = Model(
    name="small-vgg",
    purpose="expression judge of the benchmarks",
    origin="manual",
    files=(ModelFile(role="weights", names=("model.pkl",)),),
    licence="MIT",
    commercial=True,
    link="https://pypi.org/project/facial-emotion-recognition/0.3.4",
    note="`python -m benchmarks.fetch_judges FOLDER` takes it out of the package",
)

BACK_END = JudgeSpec(
    summary="VGG-like expression network of another author, other training data",
    factory="network:load_small_vgg",
    models=(SMALL_VGG,),
    title="small VGG",
    kind="expression",
    official=False,
    measures=(TARGET, unranged(CSIM), unranged(CSIM_MEAN)),
)
