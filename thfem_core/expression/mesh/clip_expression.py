"""What a tracked face expresses over a clip, measured before it is edited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...face.mesh.canonical import canonical_shapes
from ...face.mesh.lip_aperture import mouth_width
from ...face.tracking.track import FaceTrack
from .action_units import ACTION_UNITS, MeanExpression, fit_mean_expression, fit_unit_motion

MEASURED_FRAMES = 240
RUN = 8  # frames read at once: short runs cover the whole track and are cheap to read
# Activations that the fit gives on neutral clips of many people: its bias, not their expression.
NEUTRAL_BIAS = {
    **{"browDown": 0.1, "eyeWide": 0.13, "eyeSquint": 0.08, "mouthShrugUpper": 0.12, "noseSneer": 0.1},
    **{"mouthShrugLower": 0.12, "mouthSmile": 0.06, "mouthFrown": 0.06, "mouthRollLower": 0.08, "browOuterUp": 0.03},
}


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class ClipExpression:
    """What a face does over a clip.

    mean: Mean activations and shape.
    spread: (K,) standard deviation of each unit over time.
    mouth_width: Median distance of the mouth corners, face units.
    """

    mean: MeanExpression
    spread: np.ndarray
    mouth_width: float

    @property
    def above_neutral(self) -> np.ndarray:
        """(K,) mean activations less those of neutral faces, 0 or more."""
        return np.maximum(self.mean.activation - neutral_bias(), 0.0)


def neutral_bias() -> np.ndarray:
    """(K,) activations that the fit gives on neutral faces, in the order of ACTION_UNITS."""
    return np.array([NEUTRAL_BIAS.get(name, 0.0) for name in ACTION_UNITS])


def measure_expression(track: FaceTrack) -> ClipExpression | None:
    """Measure what a face expresses, from frames spread evenly over its track.

    Args:
        track: One person inside one shot.

    Returns:
        The measurement, or None where the face is clear in none of the frames.
    """
    length = track.stop_frame - track.first_frame
    runs = []
    for start in np.unique(np.linspace(0, max(0, length - RUN), MEASURED_FRAMES // RUN).astype(int)):
        first = track.first_frame + int(start)
        samples = track.samples(first, min(first + RUN, track.stop_frame))
        runs.append(samples.landmarks[samples.weight > 0])
    landmarks = np.concatenate(runs)
    if not len(landmarks):
        return None
    shapes = canonical_shapes(landmarks)
    mean = fit_mean_expression(shapes)
    return ClipExpression(
        mean=mean,
        spread=fit_unit_motion(shapes, mean).std(axis=0),
        mouth_width=float(np.median(mouth_width(shapes))),
    )
