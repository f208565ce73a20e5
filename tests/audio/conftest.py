from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_up_speech import voice

from thfem_core.audio.speech import Speech
from thfem_core.media.sound import Sound


@pytest.fixture(scope="session")
def goldens() -> dict[str, np.ndarray]:
    """Rows of what the reference front ends make of the voice and of ``pcm``: Wav2Lip, EAT and THFEM spectrograms,
    the inputs of EAMM and DeepSpeech, and python_speech_features cepstra."""
    with np.load(Path(__file__).with_name("goldens.npz")) as archive:
        return dict(archive)


@pytest.fixture(scope="session")
def speech() -> Speech:
    """The golden voice."""
    return Speech.from_sound(Sound(voice()[None], 16_000))
