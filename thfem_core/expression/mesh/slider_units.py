"""Expression sliders in the mesh editor's action units, as far as it has units for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from ...errors import InputError
from ..sliders import ExpressionSliders
from .action_units import ACTION_UNITS

_log = logging.getLogger(__name__)

# Per slider: activations per unit of its value above 0, and below 0 (of its magnitude). What opens or purses the lips
# is speech here, which the editor leaves alone; it has no units for gaze, one eye or the head.
_UNITS: Mapping[str, tuple[Mapping[str, float], Mapping[str, float]]] = {
    "smile": ({"mouthSmile": 0.75, "cheekSquint": 0.45, "cheekRaiser": 0.45}, {"mouthFrown": 2.7}),
    "eyebrow": ({"browInnerUp": 0.07, "browOuterUp": 0.055}, {"browDown": 0.13}),
    "blink": ({"eyeWide": 0.24}, {"eyeBlink": 0.05}),
    "eee": ({"mouthStretch": 0.035}, {}),
}


def slider_units(sliders: ExpressionSliders) -> np.ndarray:
    """Activations of what the sliders say.

    Args:
        sliders: The sliders.

    Returns:
        (K,) in the order of ACTION_UNITS. Sliders without units are left out, with a note in the log.

    Raises:
        InputError: The editor has units for none of them.
    """
    unknown = [name for name in sliders.values if name not in _UNITS]
    if unknown and len(unknown) == len(sliders.values):
        raise InputError(f"the mesh editor cannot show {', '.join(unknown)}; use --editor liveportrait")
    if unknown:
        _log.warning("the mesh editor cannot show %s; the editor liveportrait can", ", ".join(unknown))
    activations = dict.fromkeys(ACTION_UNITS, 0.0)
    for name, value in sliders.values.items():
        if name in _UNITS:
            up, down = _UNITS[name]
            for unit, amount in (up if value > 0 else down).items():
                activations[unit] += abs(value) * amount
    return np.array(list(activations.values()))
