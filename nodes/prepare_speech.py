"""Prepare Speech: the sound that moves the lips, as talking heads take it."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import torch
from comfy_api.latest import Input, io, ui

from ..thfem_core.audio.mel_plot import mel_plot
from ..thfem_core.audio.speech import Speech
from .host import CATEGORY, schema
from .payloads import SpeechSocket
from .video_sockets import clip_from_socket, sound_from_audio

_log = logging.getLogger(__name__)


SILENT = "no sound: the lips follow the clip alone"


def speech_from_socket(sound: Input.Audio | Input.Video | None) -> Speech | None:
    """Speech of an AUDIO or of a VIDEO, whose sound is read as a stream; None where it has no sound."""
    if sound is None or isinstance(sound, Mapping):
        heard = sound_from_audio(sound)
        return Speech.from_sound(heard) if heard is not None and heard.samples.shape[1] else None
    return Speech.from_video(clip_from_socket(sound), warn=_log.warning)


class PrepareSpeech(io.ComfyNode):
    """THFEM_AudioWindow: speech at 16 kHz, and a plot of it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_AudioWindow",
            display_name="Prepare Speech (THFEM)",
            category=f"{CATEGORY}/talking head",
            description="Prepare the sound that moves the lips, once for several talking heads, and look at it.",
            search_aliases=["mel spectrogram", "speech features", "audio features", "wav2lip mel", "mfcc"],
            inputs=[
                io.MultiType.Input(
                    "sound",
                    [io.Audio, io.Video],
                    tooltip="The speech: a sound, or a video that has one. Any sample rate and number of channels.",
                ),
            ],
            outputs=[
                SpeechSocket.Output(display_name="speech", tooltip="The speech, for a talking head."),
                io.Image.Output(display_name="preview", tooltip="Its spectrogram."),
                io.String.Output(display_name="summary", tooltip="Length and level in words."),
            ],
        )

    @classmethod
    def execute(cls, sound: Input.Audio | Input.Video) -> io.NodeOutput:
        speech = speech_from_socket(sound)
        if speech is None:  # a silent clip passes as one whose speech is not connected
            picture, summary = torch.zeros(1, 264, 1024, 3), SILENT
        else:
            picture = torch.from_numpy(mel_plot(speech)).float().div(255)[None]
            summary = f"{float(speech.duration):.2f} s of speech at level {speech.level:.3f}"
        shown = ui.PreviewImage(picture, cls=cls).as_dict() | ui.PreviewText(summary).as_dict()
        return io.NodeOutput(speech, picture, summary, ui=shown)
