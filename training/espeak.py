"""Speech and its phonemes with their times, from the eSpeak NG library (``apt-get install espeak-ng``)."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np

SYNCHRONOUS, PHONEME_EVENTS, UTF8 = 2, 1, 1
RATE_PARAMETER = 1
LIST_END, PHONEME = 0, 7


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Speech:
    """samples: (N,) int16 mono. phonemes: (start in seconds, eSpeak's mnemonic; ``_`` is a pause)."""

    samples: np.ndarray
    sample_rate: int
    phonemes: tuple[tuple[float, str], ...]


def speak(text: str, *, voice: str = "en-us+f3", words_per_minute: int = 150) -> Speech:
    """Synthesise ``text``; the same text gives the same samples."""
    library = ctypes.CDLL("libespeak-ng.so.1")
    sample_rate = library.espeak_Initialize(SYNCHRONOUS, 0, None, PHONEME_EVENTS)
    pcm, phonemes = bytearray(), []

    def receive(samples: int | None, count: int, events: ctypes.Array[_Event]) -> int:
        if samples:
            pcm.extend(ctypes.string_at(samples, 2 * count))
        i = 0
        while events[i].type != LIST_END:
            if events[i].type == PHONEME:
                phonemes.append((events[i].audio_position / 1000, events[i].id.string.decode()))
            i += 1
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))(receive)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetVoiceByName(voice.encode())
    library.espeak_SetParameter(RATE_PARAMETER, words_per_minute, 0)
    data = text.encode()
    library.espeak_Synth(data, len(data) + 1, 0, 1, 0, UTF8, None, None)
    library.espeak_Synchronize()
    return Speech(samples=np.frombuffer(bytes(pcm), np.int16), sample_rate=sample_rate, phonemes=tuple(phonemes))
