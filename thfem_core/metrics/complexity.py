"""Size and cost of an editor and a talking head (Table 7 of the paper).

Counting rule. Parameters: all that an inference uses, each once, buffers not included. Cost: multiply-accumulates
(MACs) of convolutions and matrix products, by the formulas of ``torch.utils.flop_counter``, halved (2 per MAC);
normalisations, activations, resampling and everything outside torch (the mesh editor's warps) count 0. What the paper
calls FLOPs are such MACs, but its rows mix one generated frame (EAT) and five (EAMM): here each row says how many
frames its number is for.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ..errors import InputError
from ..expression.editor import ExpressionEditor
from ..expression.request import ExpressionRequest
from ..face.mediapipe.blazeface import SHORT_RANGE, ShortRangeBlazeFace
from ..face.mediapipe.full_range import FULL_RANGE, FullRangeBlazeFace
from ..face.mediapipe.mesh_net import INPUT_SIDE, AttentionMesh
from ..face.tracking.tracker_config import TrackerConfig
from ..media.array_video import ArrayVideo
from ..media.frame import Frame
from ..media.video import Video
from ..pipeline import find_faces
from ..talking_head.head import AdjacentWindow, FaceClip, TalkingHead

_DEPTH = 4  # attributes followed from an object to its networks


@dataclass(frozen=True, kw_only=True, slots=True)
class Complexity:
    """Size and cost of a stage.

    parameters: Numbers that it has learnt.
    macs: Multiply-accumulates for ``frames`` frames.
    frames: Frames that ``macs`` is for.
    once: Multiply-accumulates spent once per clip, not included in ``macs``.
    """

    parameters: int
    macs: int
    frames: int
    once: int = 0

    @property
    def macs_per_frame(self) -> float:
        return self.macs / self.frames

    def with_stage(self, other: Complexity) -> Complexity:
        """Both stages of the pipeline, for the frames of ``other``."""
        return Complexity(
            parameters=self.parameters + other.parameters,
            macs=round(self.macs_per_frame * other.frames) + other.macs,
            frames=other.frames,
            once=self.once + other.once,
        )


# Operations on tensors that a recorded graph also asks of plain numbers.
_ON_NUMBERS: dict[Any, Callable[..., Any]] = {
    torch.ops.aten.equal.default: operator.eq,
    torch.ops.aten.item.default: lambda number: number,
}


class _FlopCounter(TorchDispatchMode):
    """Counts as :class:`torch.utils.flop_counter.FlopCounterMode` does, but also inside recorded graphs (torch.jit),
    which that one cannot enter: there, plain numbers arrive at an operation meant for tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _ON_NUMBERS and not isinstance(args[0], torch.Tensor):
            return _ON_NUMBERS[func](*args)
        packet = func._overloadpacket
        if packet not in flop_registry:
            with self:
                decomposed = func.decompose(*args, **kwargs)
            if decomposed is not NotImplemented:
                return decomposed
        result = func(*args, **kwargs)
        if packet in flop_registry:
            self.flops += flop_registry[packet](*args, **kwargs, out_val=result)
        return result


def count_macs(run: Callable[[], Any]) -> int:
    """Count what torch computes in this thread.

    Args:
        run: Called once.

    Returns:
        Multiply-accumulates while it ran.
    """
    fused = torch.backends.mha.get_fastpath_enabled()
    # Fused attention and whole layers in one operation have no formula everywhere; their parts have.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), _FlopCounter() as counter:
            run()
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    return counter.flops // 2


def networks_of(owner: object) -> list[torch.nn.Module]:
    """The outermost modules an object holds in its attributes, lists and dictionaries, each once."""
    found: list[torch.nn.Module] = []
    seen: set[int] = set()

    def visit(value: object, depth: int) -> None:
        if id(value) in seen or depth > _DEPTH:
            return
        seen.add(id(value))
        if isinstance(value, torch.nn.Module):
            found.append(value)
        elif isinstance(value, dict):
            visit_all(value.values(), depth)
        elif isinstance(value, (list, tuple)):
            visit_all(value, depth)
        elif hasattr(value, "__dict__") and not isinstance(value, type):
            visit_all(vars(value).values(), depth)
        elif hasattr(value, "__slots__"):
            names = [name for name in value.__slots__ if hasattr(value, name)]
            visit_all([getattr(value, name) for name in names], depth)

    def visit_all(values: Iterable[object], depth: int) -> None:
        for value in list(values):
            visit(value, depth + 1)

    visit(owner, 0)
    return found


def count_parameters(owners: Sequence[object]) -> int:
    """Parameters of all networks the objects hold; shared ones count once."""
    networks = [network for owner in owners for network in networks_of(owner)]
    unique = {id(p): p.numel() for network in networks for p in network.parameters()}
    return sum(unique.values())


def face_network_complexity(detect_every: int = TrackerConfig().detect_every) -> Complexity:
    """Cost of the embedded face detectors and the face mesh, for one frame with one face.

    Args:
        detect_every: Frames from one search for faces to the next.

    Returns:
        Size and cost per frame.
    """
    nets = [ShortRangeBlazeFace().eval(), FullRangeBlazeFace().eval(), AttentionMesh().eval()]
    sides = (SHORT_RANGE.input_side, FULL_RANGE.input_side, INPUT_SIDE)
    near, far, mesh = (
        count_macs(partial(net, torch.zeros(1, 3, side, side))) for net, side in zip(nets, sides, strict=True)
    )
    return Complexity(parameters=count_parameters(nets), macs=round((near + far) / detect_every) + mesh, frames=1)


def editor_complexity(
    editor: ExpressionEditor,
    video: Video,
    request: ExpressionRequest,
    *,
    device: torch.device,
    frames: tuple[int, int] = (4, 8),
) -> Complexity:
    """Cost of an editor for one frame, with the face networks it needs.

    Args:
        editor: The editor.
        video: A clip with a face.
        request: The expression to give.
        device: Where the networks run.
        frames: Lengths of the two edits that are counted: what the longer one costs more is the frames', what then
            remains of the shorter one is spent once.

    Returns:
        Size and cost per frame; ``once`` is what is spent once per clip, for example on reading a reference.

    Raises:
        InputError: The clip is too short or shows no face.
    """
    faces = face_network_complexity() if editor.needs_faces else Complexity(parameters=0, macs=0, frames=1)
    rate = video.info.frame_rate
    pictures = [frame.rgb() for frame in _first_frames(video, frames[1])]
    if len(pictures) < frames[1]:
        raise InputError(f"{video.info.name} has {len(pictures)} frames; give a clip of at least {frames[1]}")

    def cost(count: int) -> int:
        clip = ArrayVideo(np.stack(pictures[:count]), rate)
        tracks = [find_faces(clip, device=device).select("largest")[0]] if editor.needs_faces else []

        def edit() -> None:
            for _ in editor.edit(clip.frames(), tracks, request, frame_rate=rate, device=device):
                pass

        return count_macs(edit)

    short, long = map(cost, frames)
    per_frame = (long - short) // (frames[1] - frames[0])
    return Complexity(
        parameters=faces.parameters + count_parameters([editor]),
        macs=faces.macs + per_frame,
        frames=1,
        once=short - frames[0] * per_frame,
    )


def talking_head_complexity(
    head: TalkingHead, video: Video, *, speech: Any, device: torch.device, window: int = 5
) -> Complexity:
    """Cost of a talking head for one window.

    Args:
        head: The talking head.
        video: A clip with a face.
        speech: Its sound, as :class:`thfem_core.talking_head.head.FaceClip` takes it.
        device: Where the face networks run.
        window: Frames n of the window.

    Returns:
        Size and cost; ``once`` is what is spent when a face is opened and while its frames are observed.

    Raises:
        InputError: The clip is too short or shows no face.
    """
    track = find_faces(video, device=device).select("largest")[0]
    clip = FaceClip(track=track, speech=speech, frame_rate=video.info.frame_rate, device=device, drive=head.drives[0])
    held: list[Any] = []

    def observe() -> None:
        session = head.open_face(clip)
        frames = _first_frames(video, window + 1 + session.lookahead)
        for frame in frames:
            session.observe(frame)
        held.extend((session, frames))

    once = count_macs(observe)
    session, frames = held
    if len(frames) <= window:
        raise InputError(f"{video.info.name} has {len(frames)} frames; a window of {window} needs {window + 1}")
    one = AdjacentWindow(source=frames[0], targets=tuple(frames[1 : window + 1]))
    macs = count_macs(lambda: session.predict([one]))
    return Complexity(parameters=count_parameters([head, session]), macs=macs, frames=window, once=once)


def _first_frames(video: Video, count: int) -> list[Frame]:
    with closing(video.frames()) as frames:
        return list(islice(frames, count))
