"""Table 7: parameters and multiply-accumulates of editors with and without a talking head, next to the paper's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial

import torch

from thfem_core.audio.speech import Speech
from thfem_core.expression.editor import editors
from thfem_core.expression.request import ExpressionRequest, ReferenceClip
from thfem_core.media.video import Video
from thfem_core.metrics.complexity import Complexity, editor_complexity, talking_head_complexity
from thfem_core.pipeline.faces import with_reference_face
from thfem_core.talking_head.head import talking_heads

from .systems import NO_EDITOR, System
from .tables import PAPER, Table


def system_complexity(system: System, video: Video) -> Complexity:
    """One window of the system's frames (one frame without a talking head) on ``video``, on the CPU in float32.

    Results of another system (editor "frames") cost nothing here. An editor that is not asked for a label takes its
    expression from the clip itself. Raises WeightsError or InputError.
    """
    return _complexity(system, video, {})


def _complexity(system: System, video: Video, counted: dict[object, Complexity]) -> Complexity:
    """The same, with the stages that ``counted`` holds already."""

    def stage(key: object, count: Callable[[], Complexity]) -> Complexity:
        if key not in counted:
            counted[key] = count()
        return counted[key]

    first = Complexity(parameters=0, macs=0, frames=1)
    if system.editor not in (NO_EDITOR, "frames"):
        first = stage((system.editor, system.by_label), partial(_editor, system, video))
    if system.talking_head is None:
        return first
    return first.with_stage(stage((system.talking_head, system.window), partial(_talking_head, system, video)))


def _editor(system: System, video: Video) -> Complexity:
    cpu = torch.device("cpu")
    request = ExpressionRequest(emotion="happy")
    if not system.by_label:
        copied = ExpressionRequest(reference=ReferenceClip(video=video))
        request = with_reference_face(copied, device=cpu) or copied
    return editor_complexity(editors.create(system.editor), video, request, device=cpu)


def _talking_head(system: System, video: Video) -> Complexity:
    assert system.talking_head is not None
    head, speech = talking_heads.create(system.talking_head), Speech.from_video(video)
    return talking_head_complexity(head, video, speech=speech, device=torch.device("cpu"), window=system.window)


def complexity_table(systems: Sequence[System], video: Video) -> Table:
    """Rows: systems; the paper's numbers in brackets for a system of the same name, and all of them below."""
    paper: dict[str, list[float]] = json.loads(PAPER.read_text(encoding="utf-8"))["7"]["complexity"]
    rows, counted = [], dict[object, Complexity]()
    for system in systems:
        found = _complexity(system, video, counted)
        theirs = paper.get(system.name)
        numbers = (found.parameters / 1e6, found.macs / 1e9)
        cells = [
            f"{n:.2f}" + (f" ({p:.2f})" if theirs else "") for n, p in zip(numbers, theirs or numbers, strict=True)
        ]
        rows.append(
            (system.name, *cells, str(found.frames), f"{found.macs_per_frame / 1e9:.2f}", f"{found.once / 1e9:.2f}")
        )
    rows += [(f"{name} (paper)", f"{size:.2f}", f"{cost:.2f}", "–", "–", "–") for name, (size, cost) in paper.items()]
    return Table(
        title="Table 7. MACs of convolutions and matrix products (flop_counter / 2); the paper calls them FLOPs and "
        "counts one frame for EAT, five for EAMM",
        header=("Method", "Parameters (M)", "MACs (G)", "of frames", "per frame", "once per clip"),
        rows=tuple(rows),
    )
