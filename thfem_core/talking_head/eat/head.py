"""The talking head EAT, loaded."""

from __future__ import annotations

import torch
from torch import nn

from ...errors import InputError
from ...networks.acceleration import channels_last
from ...networks.compilation import compile_in_place
from ...networks.precision import drawing_dtype
from ...registry import Resources
from ...weights.store import locate, locate_file
from ..head import Drive, FaceClip
from .back_end import DEEPSPEECH, EAT, EatOptions, Emotion
from .emotion_prompt import NOISE, EmotionPrompts
from .networks import EatNetworks, load_eat
from .session import EatSession
from .speech_features import SpeechLogits, computed_logits, load_deepspeech, stored_logits
from .timeline import Timeline

# The emotions of this package, by the label of EAT's prompt.
EMOTION_LABELS: dict[Emotion, int] = {
    "angry": 0,
    "disgusted": 2,
    "fear": 3,
    "happy": 4,
    "neutral": 5,
    "sad": 6,
    "surprised": 7,
}


class EatTalkingHead:
    """EAT (implements :class:`..head.TalkingHead` and :class:`..head.OwnsNetworks`).

    On a CPU the generator is rewritten, once, to need fewer multiplications.
    """

    drives: tuple[Drive, ...] = ("audio",)
    working_memory = 5 * 2**30  # bytes beside the networks, in float32

    def __init__(
        self,
        networks: EatNetworks,
        logits: SpeechLogits,
        *,
        speech_network: nn.Module | None = None,
        options: EatOptions | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Join options and networks.

        Args:
            networks: EAT's networks in float32.
            logits: Gives the DeepSpeech logits of a clip's sound.
            speech_network: The network behind ``logits``, if any, so that it moves between devices with the others.
            options: What the user chose; None for the defaults.
            dtype: Number format of the generator. Keypoints, poses, grids, softmaxes and norms stay in float32.
        """
        self._eat, self._logits, self._dtype = networks, logits, dtype
        self._options = options or EatOptions()
        self.networks = nn.ModuleList([networks, *([speech_network] if speech_network is not None else [])])
        networks.generator.to(dtype)

    def open_face(self, clip: FaceClip) -> EatSession:
        """Begin with one person (see :meth:`..head.TalkingHead.open_face`)."""
        if clip.speech is None:
            raise InputError("EAT moves the lips by sound, and this clip has none; give a clip with sound")
        on_cpu = clip.device.type == "cpu"
        if next(self._eat.parameters()).device != clip.device:
            self.networks.to(clip.device)
        if on_cpu and self._dtype == torch.float32:
            self._eat.accelerate()
        elif not on_cpu:
            channels_last(self._eat.generator)
        if self._options.compiled:
            compile_in_place(self._eat.generator, clip.device)
        return EatSession(
            self._eat,
            clip,
            logits=self._logits(clip.speech),
            prompts=self._prompts(clip),
            timeline=Timeline(frame_rate=clip.frame_rate, timing=self._options.timing),
            dtype=self._dtype,
        )

    @torch.inference_mode()
    def _prompts(self, clip: FaceClip) -> EmotionPrompts:
        emotion = clip.emotion or self._options.emotion
        if emotion not in EMOTION_LABELS:
            raise InputError(f"EAT has no emotion {emotion!r}; choose one of: {', '.join(EMOTION_LABELS)}")
        noise = torch.randn(1, NOISE, generator=torch.Generator().manual_seed(self._options.seed))
        return self._eat.prompts(noise.to(clip.device), torch.tensor([EMOTION_LABELS[emotion]]))


def load(options: EatOptions, resources: Resources) -> EatTalkingHead:
    """Load EAT from the user's files.

    Args:
        options: What the user chose. With ``features``, the DeepSpeech network is not needed.
        resources: Folders with the checkpoint or ``eat.safetensors``, and with DeepSpeech; the device decides the
            number format.

    Returns:
        The talking head, on the CPU.

    Raises:
        InputError: The file of speech features cannot be used.
        WeightsError: A model file is missing or unusable; the message names it, where to get it and its licence.
    """
    files = tuple(locate(EAT, folders=resources.folders, progress=resources.progress).values())
    speech = None
    if options.features is None:
        speech = load_deepspeech(locate_file(DEEPSPEECH, folders=resources.folders, progress=resources.progress))
        logits = computed_logits(speech)
    else:
        logits = stored_logits(options.features)
    dtype = drawing_dtype(options.precision, resources.device)
    return EatTalkingHead(load_eat(files), logits, speech_network=speech, options=options, dtype=dtype)
