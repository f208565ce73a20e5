"""Finding PC-Talk's files on this machine and loading what is asked for."""

from __future__ import annotations

from typing import Any

from ...registry import Resources
from ...weights.store import locate
from .model import PCTALK_LIPS, PCTALK_STYLE
from .networks import check_person, load_audio_encoder, load_lip_network, load_style_encoder
from .spoken_lips import LipsFromSound


def load_lips_from_sound(person: int, speaking_style: Any, resources: Resources) -> LipsFromSound:
    """Load what moves lips by sound.

    Args:
        person: Whose way of speaking, where no clip is given.
        speaking_style: A clip of somebody who speaks in the way that is wanted; None for the person's.
        resources: Folders with the files.

    Returns:
        The networks, on the CPU.

    Raises:
        InputError: The files do not know the person.
        WeightsError: A model file is missing or unusable.
    """
    files = locate(PCTALK_LIPS, folders=resources.folders, progress=resources.progress)
    lips, refinement = load_lip_network(files["lips"])
    style_encoder = None
    if speaking_style is None:
        check_person(lips, person)
    else:
        styles = locate(PCTALK_STYLE, folders=resources.folders, progress=resources.progress)
        style_encoder = load_style_encoder(styles["style"])
    return LipsFromSound(load_audio_encoder(files["encoder"]), lips, refinement, style_encoder)
