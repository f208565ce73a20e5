"""The back end "eamm"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ...errors import InputError, WeightsError
from ...networks.acceleration import channels_last, compile_in_place
from ...progress import Progress, silent
from ...weights.store import locate
from ..head import Drive, FaceClip
from .networks import EammNetworks, load_eamm
from .session import EammSession


@dataclass(frozen=True, kw_only=True, slots=True)
class EammConfig:
    """emotional: displace keypoints by the emotion that the edited frames show. Off in the paper."""

    emotional: bool = False


class EammTalkingHead:
    """Implements :class:`..head.TalkingHead` and :class:`..loading.OwnsNetworks`.

    dtype: of the generator; bfloat16 on a graphics card. Keypoints, jacobians and grids stay in float32.
    compiled: see :func:`...networks.acceleration.compile_in_place`.
    """

    drives: tuple[Drive, ...] = ("audio",)
    working_memory = 2 * 2**30  # bytes beside the networks, in float32

    def __init__(
        self,
        networks: EammNetworks,
        *,
        config: EammConfig | None = None,
        dtype: torch.dtype = torch.float32,
        compiled: bool = False,
    ) -> None:
        self.networks, self._dtype, self._config, self._compiled = networks, dtype, config or EammConfig(), compiled
        networks.generator.to(dtype)
        if self._config.emotional and networks.emotion is None:
            raise WeightsError(
                "EAMM: no file holds emo_detector; add the checkpoint that has it, or leave emotional off"
            )

    def open_face(self, clip: FaceClip) -> EammSession:
        if clip.speech is None:
            raise InputError("EAMM moves the lips by sound, and this clip has none; give a clip with sound")
        if next(self.networks.parameters()).device != clip.device:
            self.networks.to(clip.device)
        if clip.device.type != "cpu":
            channels_last(self.networks.generator)
        elif self._dtype == torch.float32:
            self.networks.accelerate()
        if self._compiled:
            compile_in_place(self.networks.generator, clip.device)
        return EammSession(self.networks, clip, emotional=self._config.emotional, dtype=self._dtype)


def load(
    *,
    folders: Sequence[Path] = (),
    dtype: torch.dtype = torch.float32,
    compiled: bool = False,
    progress: Progress = silent,
    config: EammConfig | None = None,
) -> EammTalkingHead:
    """EAMM from the user's files (see ``models list``). Raises WeightsError that names what is missing."""
    files = tuple(locate("eamm", folders=folders, progress=progress).values())
    return EammTalkingHead(load_eamm(files), config=config, dtype=dtype, compiled=compiled)
