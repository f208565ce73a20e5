"""The plane of valence and arousal: which action units a face shows at each place.

Emotions lie on the plane as in Russell's circumplex ("A circumplex model of affect", 1980); the numbers are ours. On
the ray from neutral through an emotion a face shows that emotion's units in proportion, so it grows steadily; between
the rays of two neighbours it shows a mixture. Calm and tired stand where no labelled emotion lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...errors import WeightsError
from ...weights.reading import safe_load
from ..mesh.action_units import ACTION_UNITS
from ..mesh.presets import preset_units
from ..request import EMOTIONS, Emotion

# Place of each emotion: valence, arousal.
PLACES: Mapping[Emotion, tuple[float, float]] = {
    "happy": (0.8, 0.4),
    "surprised": (0.2, 0.85),
    "fear": (-0.4, 0.8),
    "angry": (-0.65, 0.6),
    "disgusted": (-0.75, 0.25),
    "sad": (-0.7, -0.4),
}
# Where a face is only at rest: place and units, hand-set.
_RESTING = {
    "tired": ((-0.2, -0.8), {"eyeBlink": 0.35, "browInnerUp": 0.3, "mouthFrown": 0.15}),
    "calm": ((0.5, -0.6), {"eyeBlink": 0.15, "mouthSmile": 0.25, "cheekRaiser": 0.1}),
}
FARTHEST = 1.2  # times the distance of an emotion from neutral


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class EmotionMap:
    """Units at the places of a plane, and how they mix in between.

    angles: Directions of the N places from neutral in radians, rising (N,).
    radii: Distances of the places from neutral (N,).
    units: Activations at each place (N, K), in the order of ACTION_UNITS.
    names: Names of the places.
    """

    angles: np.ndarray
    radii: np.ndarray
    units: np.ndarray
    names: tuple[str, ...]

    def weights(self, valence: float, arousal: float) -> np.ndarray:
        """How much of each place shows.

        Args:
            valence: -1..1.
            arousal: -1..1.

        Returns:
            (N,) weights, 0 or more, of which at most two neighbours differ from 0; 1 for a place itself.
        """
        weights = np.zeros(len(self.angles))
        radius = float(np.hypot(valence, arousal))
        if radius == 0:
            return weights
        angle = float(np.arctan2(arousal, valence))
        after = int(np.searchsorted(self.angles, angle, side="right")) % len(self.angles)
        before = after - 1
        turn = 2 * np.pi
        part = ((angle - self.angles[before]) % turn) / ((self.angles[after] - self.angles[before]) % turn)
        eased = (1 - np.cos(np.pi * part)) / 2
        reach = (1 - eased) * self.radii[before] + eased * self.radii[after]
        amount = min(radius / reach, FARTHEST)
        weights[before] += (1 - eased) * amount
        weights[after] += eased * amount
        return weights

    def units_at(self, valence: float, arousal: float) -> np.ndarray:
        """(K,) activations at a place of the plane, in the order of ACTION_UNITS."""
        shown: np.ndarray = self.weights(valence, arousal) @ self.units
        return shown

    def emotions_at(self, valence: float, arousal: float) -> dict[Emotion, float]:
        """Emotion → how much of it shows at a place of the plane; those that do not show are left out."""
        named = dict(zip(self.names, self.weights(valence, arousal), strict=True))
        return {emotion: float(named[emotion]) for emotion in EMOTIONS if named.get(emotion, 0.0) > 0}


def make_map(units: Mapping[Emotion, np.ndarray]) -> EmotionMap:
    """Place emotions on the plane.

    Args:
        units: Activations (K,) of each emotion that has a place; the mesh editor's presets stand for others.

    Returns:
        The map, with calm and tired.
    """
    places: dict[str, tuple[tuple[float, float], np.ndarray]] = {
        name: (place, units.get(name, preset_units(name))) for name, place in PLACES.items()
    }
    for name, (place, shown) in _RESTING.items():
        places[name] = (place, np.array([shown.get(unit, 0.0) for unit in ACTION_UNITS]))
    ordered = sorted(places.items(), key=lambda item: np.arctan2(item[1][0][1], item[1][0][0]))
    positions = np.array([place for _, (place, _) in ordered])
    return EmotionMap(
        angles=np.arctan2(positions[:, 1], positions[:, 0]),
        radii=np.hypot(positions[:, 0], positions[:, 1]),
        units=np.array([shown for _, (_, shown) in ordered]),
        names=tuple(name for name, _ in ordered),
    )


@lru_cache(maxsize=4)
def load_map(path: Path | None = None) -> EmotionMap:
    """Read a map that ``training/build_emotion_map.py`` made.

    Args:
        path: A person's map, or None for that of everybody: the mesh editor's presets.

    Returns:
        The map.

    Raises:
        WeightsError: The file is missing, damaged or another one.
    """
    if path is None:
        return make_map({})
    if not path.is_file():
        raise WeightsError(f"there is no map {path}; make one with `python -m training.build_emotion_map`")
    tensors = safe_load(path)
    units = {name: tensors[name].numpy() for name in PLACES if name in tensors}
    if not units or any(row.shape != (len(ACTION_UNITS),) for row in units.values()):
        raise WeightsError(f"{path} is no map of emotions; make one with `python -m training.build_emotion_map`")
    return make_map(units)
