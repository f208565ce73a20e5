from __future__ import annotations

import numpy as np
import pytest
from golden_sound import GOLDENS, voice

from thfem_core.audio.speech import Speech
from thfem_core.media.sound import Sound


@pytest.fixture(scope="session")
def goldens() -> dict[str, np.ndarray]:
    with np.load(GOLDENS) as archive:
        return dict(archive)


@pytest.fixture(scope="session")
def speech() -> Speech:
    """The golden voice."""
    return Speech.from_sound(Sound(voice()[None], 16_000))
