"""The motion network's readout, solved on whole training clips: ridge regression, one matrix per range of distances.

Gradient descent on stretched, masked and noisy windows teaches what is heard; how a mouth goes on by itself, and how
far the network overshoots, the undisturbed clips tell in closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from thfem_core.talking_head.mouth.motion import MotionNet, steps_before

from ..data.clips import COLUMNS_PER_FRAME, SpeakingClip, interpolate


@torch.no_grad()
def hear_clip(net: MotionNet, clip: SpeakingClip, sound: SpeakingClip | None = None) -> Tensor:
    """(T, 2, K): what the network hears at every frame of a clip, or of ``sound`` with the clip's speaking style."""
    sound = sound or clip
    assert sound.mel is not None
    reach = (net.config.steps - 1) // 2
    moments = np.arange(-reach, COLUMNS_PER_FRAME * (sound.frames - 1) + reach + 1).astype(float)
    columns = torch.from_numpy(interpolate(sound.mel, moments))
    device = next(net.parameters()).device
    return net.encode_speech(columns[None].to(device), torch.from_numpy(clip.style)[None].to(device))[0].cpu()


def pairs(
    clip: SpeakingClip, sound_features: Tensor, sources: Tensor, targets: Tensor, past: int
) -> tuple[Tensor, ...]:
    """Arguments of :meth:`MotionNet.change` for frames ``sources`` → ``targets``, each (P,)."""
    mouths = torch.from_numpy(clip.coefficients)
    to_mean = torch.from_numpy(clip.mean.astype(np.float32)) - mouths[sources]
    return (
        sound_features[sources],
        sound_features[targets],
        targets - sources,
        to_mean,
        steps_before(mouths, sources, past),
    )


@torch.no_grad()
def solve_readout(net: MotionNet, clips: Sequence[SpeakingClip], weights: np.ndarray, *, ridge: float) -> None:
    """Set ``net.readout``. weights: (clips,) of :func:`.clips.person_weights`. ridge: penalty on departing
    from what is heard, in average pairs, per frame of distance: the farther, the fewer independent pairs there are."""
    config = net.config
    device = next(net.parameters()).device
    readout = net.get_buffer("readout")
    bare = MotionNet(config).eval()
    bare.load_state_dict(net.state_dict())
    sound_features = [hear_clip(bare, clip) for clip in clips]
    for row, (near, far) in enumerate(pairwise([*config.reaches, config.distances]), start=1):
        size = readout.shape[1]
        gram = torch.zeros(size, size, dtype=torch.float64)
        cross = torch.zeros(size, config.coefficients, dtype=torch.float64)
        total = 0.0
        for clip, sounds, weight in zip(clips, sound_features, weights, strict=True):
            for distance in np.unique(np.linspace(near, far - 1, 4).astype(int)):
                count = clip.frames - int(distance)
                if count < 1:
                    continue
                sources = torch.arange(count)
                known = pairs(clip, sounds, sources, sources + int(distance), config.past)
                evidence = bare.readout_inputs(*known).double()
                mouths = torch.from_numpy(clip.coefficients).double()
                rest = mouths[sources + int(distance)] - mouths[sources] - evidence[:, : config.coefficients]
                each = float(weight) / clip.frames
                gram += each * evidence.T @ evidence
                cross += each * evidence.T @ rest
                total += each * count
        if total == 0:
            continue  # no clip is as long as that
        gram += ridge * near * total / sum(clip.frames for clip in clips) * torch.eye(size, dtype=torch.float64)
        solved = torch.linalg.solve(gram, cross)
        solved[: config.coefficients] += torch.eye(config.coefficients, dtype=torch.float64)
        readout[row] = solved.float().to(device)
