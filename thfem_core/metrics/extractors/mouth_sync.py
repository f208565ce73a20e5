"""The pack's own sync expert as a judge: one second of lip motion against the speech of that second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from ...audio.profile import COMPACT
from ...audio.speech import Speech
from ...audio.window import audio_windows
from ...face.mesh.canonical import canonical_shapes
from ...networks.lip_sync import LipSync, load_lip_sync
from ...progress import Progress, silent
from ...talking_head.mouth.coefficients import MouthBasis, load_mouth_basis
from ..sync_expert import RATE, SeenFace

WINDOW = 25
_BLOCK = 32
_CALM = (0.25, 0.5, 0.25)  # landmarks come from single frames; speech below 6 Hz passes


class LipMotionExpert:
    """Implements :class:`..sync_expert.SyncExpert`. Rows have unit length, so distances lie in 0..2 and 1.41 is chance.

    It sees the face mesh only: what is not lip motion (blur, light, another face) does not move it.
    """

    name, title, official, window, zero_padded = "thfem-sync", "THFEM lip sync", False, WINDOW, False

    def __init__(self, network: LipSync, basis: MouthBasis, device: torch.device) -> None:
        self._network, self._basis, self._device = network, basis, device

    def lip_rows(self, faces: Iterable[SeenFace]) -> Iterator[torch.Tensor]:
        meshes = (landmarks for _, landmarks in faces)
        held = np.zeros((0, self._basis.size), np.float32)
        while block := list(islice(meshes, _BLOCK)):
            mouths = self._basis.read(canonical_shapes(np.stack(block))) / self._basis.spread
            held = np.concatenate([held, mouths.astype(np.float32)])
            if len(held) >= WINDOW:
                windows = torch.from_numpy(held).unfold(0, WINDOW, 1).transpose(1, 2)
                with torch.inference_mode():
                    yield self._network.see(calmed(windows).to(self._device)).cpu()
                held = held[len(held) - WINDOW + 1 :]

    @torch.inference_mode()
    def sound_rows(self, speech: Speech, first: int, stop: int) -> torch.Tensor:
        frames = stop - first + WINDOW - 1
        middle = Fraction(2 * first + frames - 1, 2 * RATE)
        steps = self._network.config.steps + COMPACT.sample_rate // COMPACT.hop_length // RATE * (frames - 1)
        columns = audio_windows(speech, [middle], profile=COMPACT, steps=steps, normalise=True)
        heard = self._network.listen(columns.to(self._device))[0]
        return self._network.hear(heard.unfold(0, WINDOW, 1).transpose(1, 2)).cpu()


def calmed(windows: torch.Tensor) -> torch.Tensor:
    """Windows (N, W, K) of single frames' coefficients, the noise of the fits lowered; each window by itself."""
    before, after = windows[:, [0, *range(windows.shape[1] - 1)]], windows[:, [*range(1, windows.shape[1]), -1]]
    return _CALM[0] * before + _CALM[1] * windows + _CALM[2] * after


def load_mouth_sync(
    *, device: torch.device, folders: Sequence[Path] = (), download: bool = True, progress: Progress = silent
) -> LipMotionExpert:
    """The embedded expert: no folder is searched, nothing downloaded. Raises WeightsError if its file is damaged."""
    return LipMotionExpert(load_lip_sync().to(device), load_mouth_basis(), device)
