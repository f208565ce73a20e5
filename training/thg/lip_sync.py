"""Eq. 7 for the motion network: a trained sync expert judges predicted mouths by the sound they were predicted from."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from thfem_core.metrics.judges.thfem_sync.network import ThfemSync


def lip_sync_loss(expert: ThfemSync, mouths: Tensor, heard: Tensor) -> Tensor:
    """Mean -log of the probability that mouths and sound belong together; the gradient reaches the mouths.

    mouths: (..., W, K) predicted coefficients over the basis' spread, consecutive frames; heard: (..., W, size) of
    :meth:`ThfemSync.sound_features` at the same frames. W from 5 (the paper's window) to about 25, which tells far
    more. The probability is the expert's own, of the scaled cosine: the plain -log of a cosine has no gradient below 0.
    """
    cosine = (expert.embed_lips(mouths) * expert.embed_sound(heard)).sum(dim=-1)
    return F.softplus(-expert.logit(cosine)).mean()
