"""The talking head PC-Talk, loaded."""

from __future__ import annotations

import torch
from torch import nn

from ...errors import InputError
from ...networks.liveportrait.drawing import GPU_BATCH, FaceDrawer, working_memory
from ...networks.liveportrait.files import locate_liveportrait
from ...networks.liveportrait.networks import LivePortraitNetworks, load_liveportrait
from ...networks.pctalk.files import load_lips_from_sound
from ...networks.pctalk.spoken_lips import LipsFromSound
from ...networks.precision import drawing_dtype
from ...registry import Resources
from ..head import Drive, FaceClip
from .back_end import PcTalkOptions
from .session import PcTalkSession


class PcTalkTalkingHead:
    """Lips from sound in LivePortrait's keypoints (implements :class:`..head.TalkingHead`)."""

    drives: tuple[Drive, ...] = ("audio",)

    def __init__(
        self,
        drawing: LivePortraitNetworks,
        lips: LipsFromSound,
        *,
        options: PcTalkOptions | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Join options and networks.

        Args:
            drawing: LivePortrait.
            lips: Moves lips.
            options: What the user chose; None for the defaults.
            dtype: Number format of the drawing networks.
        """
        self._options, self._dtype = options or PcTalkOptions(), dtype
        self._drawing, self._lips = drawing, lips
        self.networks = nn.ModuleList([drawing, lips])
        self.working_memory = working_memory(GPU_BATCH, dtype)

    def open_face(self, clip: FaceClip) -> PcTalkSession:
        """Begin with one person (see :meth:`..head.TalkingHead.open_face`).

        Raises:
            InputError: The clip has no sound, or the clip of the speaking style shows no face.
        """
        if clip.speech is None:
            raise InputError("PC-Talk moves the lips by sound, and this clip has none; give a clip with sound")
        options = self._options
        self._lips.to(clip.device)
        drawer = FaceDrawer(self._drawing, clip.device, dtype=self._dtype, compiled=options.compiled)
        lips = self._lips.speak(
            clip.speech,
            self._lips.style(options.person, options.speaking_style, drawer),
            frame_rate=clip.frame_rate,
            scale=options.lip_scale,
            factors={name: getattr(options, name) for name in ("pursing", "widening", "opening")},
        )
        return PcTalkSession(clip, drawer=drawer, lips=lips)


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
    lips = load_lips_from_sound(options.person, options.speaking_style, resources)
    drawing = load_liveportrait(locate_liveportrait(folders=resources.folders, progress=resources.progress))
    dtype = drawing_dtype(options.precision, resources.device)
    return PcTalkTalkingHead(drawing, lips, options=options, dtype=dtype)
