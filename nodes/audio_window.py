"""Audio Window: how much of the speech a talking head hears with each frame, and in which form."""

from __future__ import annotations

import logging

import torch
from comfy_api.latest import Input, io, ui

from ..thfem_core.audio.picture import mel_picture
from ..thfem_core.audio.profile import PROFILES
from ..thfem_core.audio.speech import Speech
from ..thfem_core.errors import InputError
from .host import CATEGORY, schema
from .payloads import HeardSpeech, SpeechSocket
from .video_sockets import clip_from_socket, sound_from_audio

_log = logging.getLogger(__name__)


def speech_from_socket(sound: Input.Audio | Input.Video | None) -> Speech:
    """Speech of an AUDIO or of a VIDEO, whose sound is read as a stream. Raises InputError where there is none."""
    if sound is None or isinstance(sound, dict):
        heard = sound_from_audio(sound)
        speech = Speech.from_sound(heard) if heard is not None and heard.samples.shape[1] else None
        name = "the audio"
    else:
        clip = clip_from_socket(sound)
        speech, name = Speech.from_video(clip, warn=_log.warning), clip.info.name
    if speech is None:
        raise InputError(f"{name} has no sound that can be read; connect a clip with speech, or Load Audio")
    return speech


class AudioWindow(io.ComfyNode):
    """THFEM_AudioWindow: speech at 16 kHz, and the log-mel window around each frame, exact at every frame rate."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_AudioWindow",
            display_name="Audio Window (THFEM)",
            category=f"{CATEGORY}/talking head",
            description="Prepare speech for a talking head: the mel spectrogram it hears, and how much of it around "
            "each frame.",
            search_aliases=["mel spectrogram", "speech features", "audio features", "wav2lip mel", "mfcc"],
            inputs=[
                io.MultiType.Input(
                    "sound",
                    [io.Audio, io.Video],
                    tooltip="The speech: a sound, or a video that has one. Any sample rate and number of channels.",
                ),
                io.Combo.Input(
                    "profile",
                    options=list(PROFILES),
                    default="compact",
                    tooltip="Whose spectrogram: compact is the embedded mouth model's; the others are those of "
                    "Wav2Lip, EAT, and THFEM as released (eat-compat).",
                ),
                io.Int.Input(
                    "steps",
                    default=0,
                    min=0,
                    max=400,
                    tooltip="Columns of the spectrogram around each frame; 0 takes as many as the profile is made for.",
                ),
            ],
            outputs=[
                SpeechSocket.Output(display_name="speech", tooltip="The speech and its window, for a talking head."),
                io.Image.Output(
                    display_name="preview", tooltip="The spectrogram; two lines show the width of the window."
                ),
                io.String.Output(display_name="summary", tooltip="Length, level and window in words."),
            ],
        )

    @classmethod
    def execute(cls, sound: Input.Audio | Input.Video, profile: str, steps: int) -> io.NodeOutput:
        chosen = PROFILES[profile]
        heard = HeardSpeech(speech=speech_from_socket(sound), profile=chosen, steps=steps or chosen.window_steps)
        pixels = mel_picture(heard.speech, chosen, steps=heard.steps, normalise=chosen.normalised)
        picture = torch.from_numpy(pixels).float().div(255)[None]
        return io.NodeOutput(heard, picture, heard.summary, ui=ui.PreviewImage(picture, cls=cls))
