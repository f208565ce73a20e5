"""The talking head PC-Talk, loaded."""

from __future__ import annotations

import torch
from torch import nn

from ...errors import InputError
from ...networks.liveportrait.drawing import GPU_BATCH, FaceDrawer, working_memory
from ...networks.liveportrait.files import locate_liveportrait
from ...networks.liveportrait.networks import LivePortraitNetworks, load_liveportrait
from ...networks.pctalk.model import PCTALK_LIPS
from ...networks.pctalk.motion import LipNetwork, LipRefinement
from ...networks.pctalk.networks import check_person, load_audio_encoder, load_lip_network
from ...networks.pctalk.speech import AudioEncoder
from ...networks.precision import drawing_dtype
from ...registry import Resources
from ...weights.store import locate
from ..head import Drive, FaceClip
from .back_end import PcTalkOptions
from .session import PcTalkSession


class PcTalkTalkingHead:
    """Lips from sound in LivePortrait's keypoints (implements :class:`..head.TalkingHead`)."""

    drives: tuple[Drive, ...] = ("audio",)

    def __init__(
        self,
        drawing: LivePortraitNetworks,
        encoder: AudioEncoder,
        lips: LipNetwork,
        refinement: LipRefinement | None,
        *,
        options: PcTalkOptions | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Join options and networks.

        Args:
            drawing: LivePortrait.
            encoder: Hears.
            lips: Moves lips.
            refinement: Corrects them by the face; None where the file has none.
            options: What the user chose; None for the defaults.
            dtype: Number format of the drawing networks.

        Raises:
            InputError: The lip network does not know the person of the options.
        """
        self._options, self._dtype = options or PcTalkOptions(), dtype
        check_person(lips, self._options.person)
        self._drawing, self._encoder, self._lips, self._refinement = drawing, encoder, lips, refinement
        small = [network for network in (encoder, lips, refinement) if network is not None]
        self.networks = nn.ModuleList([drawing, *small])
        self.working_memory = working_memory(GPU_BATCH, dtype)

    def open_face(self, clip: FaceClip) -> PcTalkSession:
        """Begin with one person (see :meth:`..head.TalkingHead.open_face`)."""
        if clip.speech is None:
            raise InputError("PC-Talk moves the lips by sound, and this clip has none; give a clip with sound")
        for network in self.networks:
            network.to(clip.device)
        drawer = FaceDrawer(self._drawing, clip.device, dtype=self._dtype, compiled=self._options.compiled)
        return PcTalkSession(
            clip,
            self._options,
            drawer=drawer,
            encoder=self._encoder,
            lips=self._lips,
            refinement=self._refinement,
        )


def load(options: PcTalkOptions, resources: Resources) -> PcTalkTalkingHead:
    """Load PC-Talk's lips and LivePortrait.

    Args:
        options: What the user chose.
        resources: Folders with the files; LivePortrait's are fetched where they are missing.

    Returns:
        The talking head, on the CPU.

    Raises:
        InputError: The files do not know the person of the options.
        WeightsError: A model file is missing or unusable.
    """
    files = locate(PCTALK_LIPS, folders=resources.folders, progress=resources.progress)
    lips, refinement = load_lip_network(files["lips"])
    drawing = load_liveportrait(locate_liveportrait(folders=resources.folders, progress=resources.progress))
    return PcTalkTalkingHead(
        drawing,
        load_audio_encoder(files["encoder"]),
        lips,
        refinement,
        options=options,
        dtype=drawing_dtype(options.precision, resources.device),
    )
