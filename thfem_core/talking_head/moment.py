"""Drawing the lips of one frame from the middle of a clip, as :mod:`.redraw` draws them in the whole of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import takewhile

import torch

from ..face.occlusion.clip import ClipOcclusion
from ..face.tracking.edited_landmarks import EditedLandmarks
from ..face.tracking.track import FaceTrack
from ..loaded import KeptWith
from ..media.frame import Frame
from .blending import blend_patches, paste_patch, without_carried
from .head import AdjacentWindow, FacePatch, FaceSession
from .redraw import PreparedTalkingHead
from .windows import PlannedWindow, WindowConfig, plan_windows

_BLOCK = 64  # frames of a track read at once
_WINDOWS: KeptWith[tuple[PlannedWindow, ...]] = KeptWith()  # finding them reads the track up to the frame


@dataclass(frozen=True, kw_only=True, slots=True)
class LipMoment:
    """One person in one frame: the windows that draw it.

    track: The person.
    session: A fresh session of the talking head.
    index: Number of the frame.
    weight: Of the track in the frame, above 0.
    windows: All windows that draw the frame.
    """

    track: FaceTrack
    session: FaceSession
    index: int
    weight: float
    windows: tuple[PlannedWindow, ...]

    @property
    def around(self) -> range:
        """The frames that the session wants to observe: as far as it looks around the windows' sources and targets."""
        reach = self.session.lookahead
        first = min([self.index, *(window.source for window in self.windows)])
        return range(max(first - reach, self.track.first_frame), min(self.index + reach + 1, self.track.stop_frame))

    @property
    def reads_landmarks(self) -> bool:
        """Whether the session needs no pictures of edited frames whose landmarks the editor knows."""
        return bool(getattr(self.session, "reads_landmarks", False))


def lip_moments(
    index: int,
    tracks: Sequence[FaceTrack],
    prepared: PreparedTalkingHead,
    *,
    frame_rate: Fraction,
    device: torch.device,
    edited: EditedLandmarks,
) -> list[LipMoment]:
    """Open the faces of one frame.

    Args:
        index: Number of the frame.
        tracks: Whom to draw.
        prepared: The talking head.
        frame_rate: Frames per second.
        device: Where networks run.
        edited: Will hold landmarks of edited faces before :func:`draw_lips`.

    Returns:
        One entry for each person who is seen in the frame.
    """
    moments = []
    for track in tracks:
        weight = float(track.samples(index, index + 1).weight[0])
        if weight > 0:
            moments.append(
                LipMoment(
                    track=track,
                    session=prepared.open_face(track, frame_rate=frame_rate, device=device, edited=edited),
                    index=index,
                    weight=weight,
                    windows=_WINDOWS.get_or_make(
                        track, (prepared.window, index), partial(_windows_of, track, prepared.window, index)
                    ),
                )
            )
    return moments


def draw_lips(
    frames: Mapping[int, Frame], moment: LipMoment, occlusion: ClipOcclusion | None = None
) -> tuple[Frame, str | None]:
    """Draw one person's lips.

    Args:
        frames: Edited frames by number: the frame itself and those around it, as far as they are known; of frames that
            are no source, sessions that read landmarks want nothing else.
        moment: From :func:`lip_moments`.
        occlusion: What is in front of the faces of the frame and the windows' sources; None if nobody looks.

    Returns:
        The frame, and why its lips stay where they do, else None.
    """
    target = frames[moment.index]
    for index in moment.around:
        if index in frames:
            moment.session.observe(frames[index])
    drawn: list[tuple[FacePatch, float]] = []
    reason = None
    for window in moment.windows:
        source = frames.get(window.source, target)
        ((answer,),) = moment.session.predict([AdjacentWindow(source=source, targets=(target,))])
        if isinstance(answer, FacePatch):
            answer = without_carried(
                answer, occlusion, track_id=moment.track.track_id, source=window.source, target=moment.index
            )
            drawn.append((answer, window.shares[window.targets.index(moment.index)] * moment.weight))
        else:
            reason = answer
    patch = blend_patches(drawn)
    return (target, reason) if patch is None else (paste_patch(target, patch), None)


def _windows_of(track: FaceTrack, config: WindowConfig, index: int) -> tuple[PlannedWindow, ...]:
    def drawable() -> list[int]:
        found: list[int] = []
        # windows begin anew only where somebody was away, so their plan needs the whole track before the frame
        for start in range(track.first_frame, min(index + 2 * config.size + 1, track.stop_frame), _BLOCK):
            weight = track.samples(start, min(start + _BLOCK, track.stop_frame)).weight
            found += [start + int(row) for row in (weight > 0).nonzero()[0]]
        return found

    windows = takewhile(lambda window: window.targets[0] <= index, plan_windows(iter(drawable()), config))
    return tuple(window for window in windows if index in window.targets)
