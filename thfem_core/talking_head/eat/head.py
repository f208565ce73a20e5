"""The back end "eat": the talking head of the paper's results, for research (CC BY-NC 4.0)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ...errors import InputError
from ...networks.acceleration import channels_last, compile_in_place
from ...progress import Progress, silent
from ...weights.store import locate, locate_file
from ..head import Drive, FaceClip
from .deepspeech import load_deepspeech
from .emotion_prompt import NOISE, EmotionPrompts
from .networks import EatNetworks, load_eat
from .session import EatSession
from .speech_features import SpeechLogits, computed_logits, stored_logits
from .timeline import Timeline, Timing, check_timing

# The emotions of this package, by the label of EAT's prompt.
EMOTION_LABELS = {"angry": 0, "disgusted": 2, "fear": 3, "happy": 4, "neutral": 5, "sad": 6, "surprised": 7}


@dataclass(frozen=True, kw_only=True, slots=True)
class EatConfig:
    """emotion: what the face shows where the clip does not say. seed: of the noise that varies an emotion, drawn once.
    timing: see :data:`.timeline.Timing`. features: a ``.npy`` with the clip's speech features (see
    :func:`.speech_features.read_logits`) instead of DeepSpeech's network."""

    emotion: str = "neutral"
    seed: int = 0
    timing: Timing = "exact"
    features: Path | None = None

    def __post_init__(self) -> None:
        check_emotion(self.emotion)
        check_timing(self.timing)


def check_emotion(emotion: str) -> None:
    """Raises InputError if EAT has no prompt for ``emotion``."""
    if emotion not in EMOTION_LABELS:
        raise InputError(f"EAT has no emotion {emotion!r}; choose one of: {', '.join(EMOTION_LABELS)}")


class EatTalkingHead:
    """Implements :class:`..head.TalkingHead` and :class:`..loading.OwnsNetworks`.

    dtype: of the generator; bfloat16 on a graphics card. Keypoints, poses, grids, softmaxes and sums of norms stay in
    float32. On a CPU the generator is rewritten, once, to need fewer multiplications. compiled: see
    :func:`...networks.acceleration.compile_in_place`.
    """

    drives: tuple[Drive, ...] = ("audio",)
    working_memory = 5 * 2**30  # bytes beside the networks, in float32

    def __init__(
        self,
        networks: EatNetworks,
        logits: SpeechLogits,
        *,
        speech_network: nn.Module | None = None,
        config: EatConfig | None = None,
        dtype: torch.dtype = torch.float32,
        compiled: bool = False,
    ) -> None:
        self._eat, self._logits, self._dtype, self._compiled = networks, logits, dtype, compiled
        self._config = config or EatConfig()
        self.networks = nn.ModuleList([networks, *([speech_network] if speech_network is not None else [])])
        networks.generator.to(dtype)

    def open_face(self, clip: FaceClip) -> EatSession:
        if clip.speech is None:
            raise InputError("EAT moves the lips by sound, and this clip has none; give a clip with sound")
        on_cpu = clip.device.type == "cpu"
        if next(self._eat.parameters()).device != clip.device:
            self.networks.to(clip.device)
        if on_cpu and self._dtype == torch.float32:
            self._eat.accelerate()
        elif not on_cpu:
            channels_last(self._eat.generator)
        if self._compiled:
            compile_in_place(self._eat.generator, clip.device)
        return EatSession(
            self._eat,
            clip,
            logits=self._logits(clip.speech),
            prompts=self._prompts(clip),
            timeline=Timeline(frame_rate=clip.frame_rate, timing=self._config.timing),
            dtype=self._dtype,
        )

    @torch.inference_mode()
    def _prompts(self, clip: FaceClip) -> EmotionPrompts:
        emotion = clip.emotion or self._config.emotion
        check_emotion(emotion)
        noise = torch.randn(1, NOISE, generator=torch.Generator().manual_seed(self._config.seed))
        label = torch.tensor([EMOTION_LABELS[emotion]])
        return self._eat.prompts(noise.to(clip.device), label)


def load(
    *,
    folders: Sequence[Path] = (),
    dtype: torch.dtype = torch.float32,
    compiled: bool = False,
    progress: Progress = silent,
    config: EatConfig | None = None,
) -> EatTalkingHead:
    """EAT from the user's files (see ``models list``): the checkpoint or ``eat.safetensors``, and DeepSpeech.

    Raises WeightsError that names what is missing, where to get it and under which licence.
    """
    config = config or EatConfig()
    files = tuple(locate("eat", folders=folders, progress=progress).values())
    speech = None
    if config.features is None:
        speech = load_deepspeech(locate_file("deepspeech", folders=folders, progress=progress))
    logits = stored_logits(config.features) if speech is None else computed_logits(speech)
    return EatTalkingHead(load_eat(files), logits, speech_network=speech, config=config, dtype=dtype, compiled=compiled)
