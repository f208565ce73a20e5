"""The talking head EAMM, loaded."""

from __future__ import annotations

import torch

from ...errors import InputError, WeightsError
from ...networks.acceleration import channels_last
from ...networks.compilation import compile_in_place
from ...networks.precision import drawing_dtype
from ...registry import Resources
from ...weights.store import locate
from ..head import Drive, FaceClip
from .back_end import EAMM, EammOptions
from .networks import EammNetworks, load_eamm
from .session import EammSession


class EammTalkingHead:
    """EAMM (implements :class:`..head.TalkingHead` and :class:`..head.OwnsNetworks`)."""

    drives: tuple[Drive, ...] = ("audio",)
    working_memory = 2 * 2**30  # bytes beside the networks, in float32

    def __init__(
        self, networks: EammNetworks, *, options: EammOptions | None = None, dtype: torch.dtype = torch.float32
    ) -> None:
        """Join options and networks.

        Args:
            networks: EAMM's networks in float32.
            options: What the user chose; None for the defaults.
            dtype: Number format of the generator. Keypoints, Jacobians and grids stay in float32.

        Raises:
            WeightsError: The option ``emotional`` needs a network that no file held.
        """
        self.networks, self._dtype, self._options = networks, dtype, options or EammOptions()
        networks.generator.to(dtype)
        if self._options.emotional and networks.emotion is None:
            raise WeightsError(
                "EAMM: no file holds emo_detector; add the checkpoint that has it, or leave emotional off"
            )

    def open_face(self, clip: FaceClip) -> EammSession:
        """Begin with one person (see :meth:`..head.TalkingHead.open_face`)."""
        if clip.speech is None:
            raise InputError("EAMM moves the lips by sound, and this clip has none; give a clip with sound")
        if next(self.networks.parameters()).device != clip.device:
            self.networks.to(clip.device)
        if clip.device.type != "cpu":
            channels_last(self.networks.generator)
        elif self._dtype == torch.float32:
            self.networks.accelerate()
        if self._options.compiled:
            compile_in_place(self.networks.generator, clip.device)
        return EammSession(self.networks, clip, emotional=self._options.emotional, dtype=self._dtype)


def load(options: EammOptions, resources: Resources) -> EammTalkingHead:
    """Load EAMM from the user's files.

    Args:
        options: What the user chose.
        resources: Folders with the checkpoints or ``eamm.safetensors``; the device decides the number format.

    Returns:
        The talking head, on the CPU.

    Raises:
        WeightsError: A model file is missing or unusable; the message names it, where to get it and its licence.
    """
    files = tuple(locate(EAMM, folders=resources.folders, progress=resources.progress).values())
    dtype = drawing_dtype(options.precision, resources.device)
    return EammTalkingHead(load_eamm(files), options=options, dtype=dtype)
