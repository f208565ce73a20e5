"""What SyncNet declares of itself."""

from ....weights.model import Model, ModelFile
from ...measure import SYNC, Measure
from ...network_catalogue import SYNC_OFFSET
from ..spec import JudgeSpec

SYNCNET = Model(
    name="syncnet",
    purpose="LSE-D, LSE-C (SyncNet v2)",
    origin="hub",
    repo="lithiumice/syncnet",
    files=(ModelFile(role="weights", names=("syncnet_v2.model",), megabytes=54.6),),
    licence=None,
    commercial=None,
    link="https://huggingface.co/lithiumice/syncnet",
    note="its code is MIT",
)

LSE_D = Measure(
    key="lse_d",
    group=SYNC,
    label="LSE-D",
    better="lower",
    good=8.0,
    bad=10.0,
    digits=3,
    meaning="distance of lips and sound at the best delay; real clips have 6.5 to 9",
)
LSE_C = Measure(
    key="lse_c",
    group=SYNC,
    label="LSE-C",
    better="higher",
    good=6.0,
    bad=3.0,
    digits=3,
    meaning="how much better the best delay is than others; real clips have 5 to 9",
)

BACK_END = JudgeSpec(
    summary="sync expert of the papers: LSE-D, LSE-C and the delay",
    factory="judge:load_syncnet",
    models=(SYNCNET,),
    title="SyncNet v2",
    kind="sync",
    official=True,
    measures=(LSE_D, LSE_C, SYNC_OFFSET),
)
