"""What the pack's own sync expert declares of itself."""

from ....weights.model import embedded
from ...measure import SYNC, Measure
from ...network_catalogue import SYNC_OFFSET
from ..spec import JudgeSpec

THFEM_SYNC = embedded(
    "thfem_sync",
    "do lips and sound go together (offline measure)",
    701636,
    "5633c6cec86aefd936dfa1beaabc09b87669c827a6d16409916f56e1c1e4f378",
    licence="CC BY-NC 4.0",
    commercial=False,
    link="MODEL_CARD.md of the package",
    note="edits work without it: --networks none",
)

# Rows have unit length, so distances lie in 0..2.
DISTANCE = Measure(
    key="lse_d",
    group=SYNC,
    label="distance of lips and sound",
    better="lower",
    good=1.2,
    bad=1.3,
    digits=3,
    meaning="at the best delay; real clips have 0.95 to 1.25, foreign sound 1.2 to 1.33; not the LSE-D of papers",
)
CONFIDENCE = Measure(
    key="lse_c",
    group=SYNC,
    label="how much the best delay stands out",
    better="higher",
    good=0.2,
    bad=0.1,
    digits=3,
    meaning="distance at other delays less that at the best; real clips have 0.15 to 0.45, foreign sound 0.08 to "
    "0.23; not the LSE-C of papers",
)

BACK_END = JudgeSpec(
    summary="the pack's own sync expert, offline stand-in for SyncNet",
    factory="judge:load_thfem_sync",
    models=(THFEM_SYNC,),
    title="THFEM lip sync",
    kind="sync",
    official=False,
    measures=(DISTANCE, CONFIDENCE, SYNC_OFFSET),
)
