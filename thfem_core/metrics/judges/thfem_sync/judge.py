"""The pack's own sync expert as a judge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice

import numpy as np
import torch

from ....audio.profile import COMPACT
from ....audio.speech import Speech
from ....audio.window import audio_windows
from ....face.mesh.canonical import canonical_shapes
from ....options import Options
from ....registry import Resources
from ....talking_head.mouth.coefficients import MouthBasis, load_mouth_basis
from ..loading import device_of
from ..protocol import RATE, SeenFace
from .back_end import BACK_END
from .network import ThfemSync, load_thfem_sync_network

WINDOW = 25  # frames
_BLOCK = 32  # frames read together
_KERNEL = (0.25, 0.5, 0.25)  # of the smoothing; speech below 6 Hz passes


class ThfemSyncExpert:
    """:class:`.network.ThfemSync` as a :class:`..protocol.SyncExpert`.

    Rows have unit length, so distances lie in 0..2 and 1.41 is chance. It sees the face mesh only: what is not lip
    motion (blur, light, another face) does not move it.
    """

    spec, window, zero_padded = BACK_END, WINDOW, False

    def __init__(self, network: ThfemSync, basis: MouthBasis, device: torch.device) -> None:
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
                    yield self._network.embed_lips(smoothed(windows).to(self._device)).cpu()
                held = held[len(held) - WINDOW + 1 :]

    @torch.inference_mode()
    def sound_rows(self, speech: Speech, first: int, stop: int) -> torch.Tensor:
        frames = stop - first + WINDOW - 1
        middle = Fraction(2 * first + frames - 1, 2 * RATE)
        steps = self._network.config.steps + COMPACT.sample_rate // COMPACT.hop_length // RATE * (frames - 1)
        columns = audio_windows(speech, [middle], profile=COMPACT, steps=steps, normalise=True)
        features = self._network.sound_features(columns.to(self._device))[0]
        return self._network.embed_sound(features.unfold(0, WINDOW, 1).transpose(1, 2)).cpu()


def smoothed(windows: torch.Tensor) -> torch.Tensor:
    """Smooth mouth coefficients over time, because landmarks fitted to single frames are noisy.

    Args:
        windows: Coefficients of N windows of W frames, (N, W, K).

    Returns:
        The same, each window smoothed by itself; its first and last frame count twice where a neighbour is missing.
    """
    before, after = windows[:, [0, *range(windows.shape[1] - 1)]], windows[:, [*range(1, windows.shape[1]), -1]]
    return _KERNEL[0] * before + _KERNEL[1] * windows + _KERNEL[2] * after


def load_thfem_sync(options: Options, resources: Resources) -> ThfemSyncExpert:
    """Load the embedded weights.

    Raises:
        WeightsError: Their file is damaged.
    """
    device = device_of(resources)
    return ThfemSyncExpert(load_thfem_sync_network().to(device), load_mouth_basis(), device)
