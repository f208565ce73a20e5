"""A sync expert on the mouth regions of the embedded talking head: what THFEM's own expert looks at and hears.

Five lower faces against 0.2 s of sound, with the inputs of Wav2Lip's expert, so that either network fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional

from ...audio.speech import Speech
from ...audio.window import wav2lip_windows
from ...face.canonical import canonical_mesh
from ...face.crop import crop_frame
from ...face.pose import head_pose
from ...talking_head.mouth.region import LOWER_HALF, MARGIN, WIDE_PIXELS, mouth_regions
from ..sync_expert import RATE, SeenFace

WINDOW = 5
_BLOCK = 32


class SeesAndHears(Protocol):
    """Two embeddings of unit length: see: (N, 15, 48, 96) RGB 0..1, frame after frame; hear: (N, 1, 80, 16) log-mel of
    the wav2lip profile."""

    def see(self, faces: torch.Tensor) -> torch.Tensor: ...

    def hear(self, sound: torch.Tensor) -> torch.Tensor: ...


class MouthSync:
    """Implements :class:`..sync_expert.SyncExpert` around such a network; distances lie in 0..2."""

    name, title, official, window = "thfem-sync", "THFEM sync expert", False, WINDOW

    def __init__(self, network: SeesAndHears, device: torch.device) -> None:
        self._network, self._device = network, device

    @torch.inference_mode()
    def lip_rows(self, faces: Iterable[SeenFace]) -> Iterator[torch.Tensor]:
        lower = map(lower_face, faces)
        held = list(islice(lower, WINDOW - 1))
        while True:
            held += islice(lower, _BLOCK)
            if len(held) < WINDOW:
                return
            windows = torch.stack(held).unfold(0, WINDOW, 1)  # (n, 3, 48, 96, 5)
            yield self._network.see(windows.movedim(-1, 1).flatten(1, 2).to(self._device)).cpu()
            held = held[len(held) - WINDOW + 1 :]

    @torch.inference_mode()
    def sound_rows(self, speech: Speech, first: int, stop: int) -> torch.Tensor:
        windows = wav2lip_windows(speech, range(first, stop), Fraction(RATE))
        return self._network.hear(windows.transpose(1, 2)[:, None].to(self._device)).cpu()


def lower_face(face: SeenFace) -> torch.Tensor:
    """(3, 48, 96) in 0..1: the lower half of a face, cut upright around the head's (not the lips') place."""
    frame, landmarks = face
    pose = head_pose(landmarks[None], canonical_mesh())
    (region,) = mouth_regions(pose, margin=MARGIN)
    if region.box(frame).width == 0 or region.box(frame).height == 0:
        return torch.zeros(3, 48, 96)  # a face whose mouth is off the frame
    picture = crop_frame(frame, region, WIDE_PIXELS)[LOWER_HALF]
    rows = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255.0
    return functional.interpolate(rows, size=(48, 96), mode="bilinear", antialias=True, align_corners=False)[0]
