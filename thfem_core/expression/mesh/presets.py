"""What each emotion is, in action units, and which region of the face each unit belongs to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..request import Emotion, RegionStrengths
from .action_units import READ_UNITS

# Activations at strength 1.0, hand-set after the Facial Action Coding System's emotion prototypes and tuned on
# real clips (benchmarks/score_editor.py).
PRESETS: Mapping[Emotion, Mapping[str, float]] = {
    "neutral": {},
    "happy": {"mouthSmile": 0.75, "cheekSquint": 0.5, "cheekRaiser": 0.5, "eyeSquint": 0.4, "browOuterUp": 0.2},
    "sad": {
        **{"browInnerUp": 0.95, "browDown": 0.45, "mouthFrown": 0.8, "eyeBlink": 0.15, "eyeSquint": 0.3},
        "mouthShrugLower": 0.12,
    },
    "angry": {
        **{"browDown": 1.15, "noseSneer": 0.3, "eyeSquint": 0.45, "mouthPress": 0.3, "mouthFrown": 0.4},
        "cheekSquint": 0.2,
    },
    "disgusted": {
        **{"browDown": 0.6, "noseSneer": 0.75, "eyeSquint": 0.6, "cheekSquint": 0.5, "mouthFrown": 0.4},
        "mouthUpperUp": 0.2,
    },
    "fear": {
        **{"browInnerUp": 1.2, "browOuterUp": 0.5, "browDown": 0.35, "eyeWide": 0.8, "mouthStretch": 0.45},
        "mouthFrown": 0.25,
    },
    "surprised": {"browInnerUp": 1.2, "browOuterUp": 1.0, "eyeWide": 0.9, "jawOpen": 0.06},
}

# Mouth units that an expression may set without taking over speech: they place the corners, not the lips.
MOUTH_POSE_UNITS = frozenset({"mouthSmile", "mouthFrown", "mouthStretch", "mouthPress", "mouthShrugLower"})


def region_of(unit: str) -> str:
    """The region ("brows", "eyes", "cheeks" or "mouth") of a unit."""
    for prefix, region in (("brow", "brows"), ("eye", "eyes"), ("cheek", "cheeks"), ("nose", "cheeks")):
        if unit.startswith(prefix):
            return region
    return "mouth"


def preset_units(emotion: Emotion) -> np.ndarray:
    """(K,) activations of an emotion at strength 1, in the order of READ_UNITS."""
    preset = PRESETS[emotion]
    return np.array([preset.get(name, 0.0) for name in READ_UNITS])


def region_factors(regions: RegionStrengths) -> np.ndarray:
    """(K,) per-unit factor of the user's region strengths."""
    return np.array([getattr(regions, region_of(name)) for name in READ_UNITS])
