"""What each emotion is, in action units, and which region of the face each unit belongs to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..request import Emotion, RegionStrengths
from .action_units import ACTION_UNITS

# Activations at strength 1.0, hand-set after the Facial Action Coding System's emotion prototypes (Ekman and Friesen)
# and tuned on real clips (benchmarks/score_editor.py).
PRESETS: Mapping[Emotion, Mapping[str, float]] = {
    "neutral": {},
    "happy": {"mouthSmile": 0.75, "cheekSquint": 0.5, "cheekRaiser": 0.5, "eyeSquint": 0.4, "browOuterUp": 0.2},
    "sad": {
        **{"browInnerUp": 1.25, "browDown": 1.1, "mouthFrown": 0.8, "eyeBlink": 0.18, "eyeSquint": 0.2},
        "mouthShrugLower": 0.12,
    },
    "angry": {
        **{"browDown": 1.45, "noseSneer": 0.25, "eyeSquint": 0.5, "mouthPress": 0.4, "mouthFrown": 0.33},
        **{"cheekSquint": 0.2, "mouthUpperUp": 0.2},
    },
    "disgusted": {
        **{"browDown": 0.65, "noseSneer": 0.5, "eyeSquint": 0.45, "eyeBlink": 0.4, "cheekSquint": 0.2},
        **{"mouthFrown": 0.9, "mouthUpperUp": 0.4, "mouthPress": 0.1, "mouthShrugUpper": 0.2},
    },
    "fear": {
        **{"browInnerUp": 1.0, "browOuterUp": 0.4, "browDown": 1.0, "eyeWide": 1.2, "mouthStretch": 0.25},
        **{"mouthFrown": 0.6, "mouthUpperUp": 0.08},
    },
    "surprised": {
        **{"browInnerUp": 0.95, "browOuterUp": 0.8, "eyeWide": 1.5, "jawOpen": 0.09, "mouthShrugUpper": 0.1},
        "mouthFunnel": 0.2,
    },
}

# Mouth units that an expression may set without taking over speech: they place the corners, not the lips.
MOUTH_POSE_UNITS = frozenset({"mouthSmile", "mouthFrown", "mouthStretch", "mouthPress", "mouthShrugLower"})

_REGIONS = {"brow": "brows", "eye": "eyes", "cheek": "cheeks", "nose": "cheeks"}


def region_of(unit: str) -> str:
    """Name the region of an action unit: ``brows``, ``eyes``, ``cheeks`` or ``mouth``."""
    return next((region for prefix, region in _REGIONS.items() if unit.startswith(prefix)), "mouth")


def preset_units(emotion: Emotion) -> np.ndarray:
    """Look up what an emotion is.

    Args:
        emotion: One of the seven.

    Returns:
        (K,) activations at strength 1, in the order of ACTION_UNITS.
    """
    preset = PRESETS[emotion]
    return np.array([preset.get(name, 0.0) for name in ACTION_UNITS])


def region_factors(regions: RegionStrengths) -> np.ndarray:
    """Give each action unit the strength of its region.

    Args:
        regions: The user's strengths.

    Returns:
        (K,) factors, in the order of ACTION_UNITS.
    """
    return np.array([getattr(regions, region_of(name)) for name in ACTION_UNITS])
