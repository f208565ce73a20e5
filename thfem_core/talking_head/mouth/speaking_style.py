"""How a person speaks in a clip: their average mouth, and how far and how fast it moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...face.mesh.canonical import canonical_shapes
from ...face.tracking.track import FaceTrack
from ...loaded import KeptWith
from .coefficients import MouthBasis
from .motion import FRAME_RATE

_BLOCK = 64  # frames of a track read at once
_STILL = 0.02  # spread of all coefficients (face units) below which the clip shows a still picture


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakingStyle:
    """How a person speaks in a clip.

    mean: float32 (K,), average mouth coefficients in face units.
    vector: float32 (2K,), input of the motion network, see :func:`style_vector`; 0 for the average speaker.
    is_still: Nothing ever moves (the clip shows a still picture), so nothing is known of how the person speaks.
    """

    mean: np.ndarray
    vector: np.ndarray
    is_still: bool


_STYLES: KeptWith[SpeakingStyle] = KeptWith()


def style_vector(coefficients: np.ndarray, frame_rate: Fraction = FRAME_RATE) -> np.ndarray:
    """Describe how far and how fast a mouth moves, as the motion network takes it.

    Args:
        coefficients: (T, K) mouth coefficients over the standard deviations of the basis.
        frame_rate: Frames per second.

    Returns:
        float32 (2K,): logarithm of each coefficient's standard deviation over the clip, then of that of its change per
        frame of the motion network.
    """
    steps = np.diff(coefficients, axis=0) if len(coefficients) > 1 else np.zeros_like(coefficients)
    speed = steps.std(axis=0) * float(frame_rate / FRAME_RATE)
    vector: np.ndarray = np.log(np.concatenate([coefficients.std(axis=0), speed]) + 0.05).astype(np.float32)
    return vector


def read_speaking_style(track: FaceTrack, basis: MouthBasis, frame_rate: Fraction) -> SpeakingStyle:
    """Read how a person speaks from their whole track, a block at a time.

    Args:
        track: The person in the unedited clip.
        basis: Modes of the mouth.
        frame_rate: Frames per second.

    Returns:
        Their style; that of the average speaker where nobody is seen or nothing moves.
    """
    # a live preview asks at every move of a slider, and reading the track takes long for a long clip
    return _STYLES.get_or_make(track, (basis, frame_rate), lambda: _read(track, basis, frame_rate))


def _read(track: FaceTrack, basis: MouthBasis, frame_rate: Fraction) -> SpeakingStyle:
    blocks = [basis.read(canonical_shapes(meshes)) for meshes in _seen_meshes(track) if len(meshes)]
    mouths = np.concatenate(blocks) if blocks else np.zeros((1, basis.size), np.float32)
    is_still = bool(mouths.std(axis=0).max() < _STILL)
    vector = style_vector(mouths / basis.spread, frame_rate)
    return SpeakingStyle(
        mean=mouths.mean(axis=0), vector=np.zeros_like(vector) if is_still else vector, is_still=is_still
    )


def _seen_meshes(track: FaceTrack) -> Iterator[np.ndarray]:
    """Blocks (T, 478, 3) of the frames in which the person is seen."""
    for start in range(track.first_frame, track.stop_frame, _BLOCK):
        samples = track.samples(start, min(start + _BLOCK, track.stop_frame))
        yield samples.landmarks[samples.weight > 0]
