"""From a request and a measured face to displacements of its mesh.

A plan says how much each action unit changes; applied to landmarks, it moves them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...face.mesh.canonical import canonical_mesh
from ...face.mesh.lip_aperture import mouth_unit_gain
from ...face.pose import head_pose
from ..request import Emotion, ExpressionRequest, RegionStrengths
from .action_units import ACTION_UNITS, fit_unit_motion
from .clip_expression import ClipExpression
from .eyes import aperture_change, lid_displacement
from .presets import MOUTH_POSE_UNITS, preset_units, region_factors, region_of
from .recognition import recognise
from .slider_units import slider_units
from .unit_fields import unit_fields

IS_MOUTH = np.array([region_of(name) == "mouth" for name in ACTION_UNITS])
# Units that an edit may offset: the mouth units among them place the corners, speech needs the others.
IS_POSE = np.array([not mouth or name in MOUTH_POSE_UNITS for name, mouth in zip(ACTION_UNITS, IS_MOUTH, strict=True)])

# An emotion takes away this share of what the person shows beyond it; little is measurement error. Neutral takes more
# than was measured, since the fit's priors shrink activations, and so does a frown of a smile.
SURPLUS_REMOVED, NEUTRAL_REMOVED, SMILE_REMOVED = 0.7, 1.5, 1.5
SURPLUS_IGNORED = 0.1
FULL = 0.3  # activation from which on a unit counts fully in that, so that nothing jumps between expressions
SMILE = tuple(ACTION_UNITS.index(name) for name in ("mouthSmile", "cheekRaiser", "cheekSquint"))
FROWN = ACTION_UNITS.index("mouthFrown")

# A reference's activations are a mixture of what its emotions typically show and of what was measured, whose gain
# undoes the shrinkage by the fit's priors. Both are boosted, and limited where more looks wrong on other faces.
TYPICAL_SHARE = 0.9
NEUTRAL_REFERENCE = 0.1  # a reference is given for what it shows, and seldom for nothing
MEASURED_GAIN = 1.6
REFERENCE_BOOST = 1.4
LOWEST_OFFSET, HIGHEST_OFFSET = -1.0, 1.3
HIGHEST_OFFSETS = {"mouthPress": 0.4, "noseSneer": 0.4}
# The liveliness of a reference is copied within these factors; the constant keeps a quotient of two still faces at 1.
DYNAMICS_LIMITS = (0.5, 2.0)
STILL_SPREAD = 0.02


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class MotionPlan:
    """How an edit changes a face: activation change = offset + (dynamics - 1) · the face's own motion of that unit.

    offset: (K,) at strength 1, region strengths included.
    dynamics: (K,) factor on the face's own motion, region strengths included; 1 leaves it.
    shading: Emotion → weight of its brightness ratio, region strengths not included.
    regions: Strength of each region.
    source: The face as it was measured.
    """

    offset: np.ndarray
    dynamics: np.ndarray
    shading: dict[Emotion, float]
    regions: RegionStrengths
    source: ClipExpression

    def displacements(self, landmarks: np.ndarray, strength: np.ndarray, *, spectacles: bool = False) -> np.ndarray:
        """Move a face as planned.

        Args:
            landmarks: (T, 478, 3) in pixels, finite.
            strength: (T,) factor on the plan.
            spectacles: Whether the face wears spectacles, which hardly move.

        Returns:
            (T, 478, 3) displacements in pixels.
        """
        pose = head_pose(landmarks, canonical_mesh())
        shapes = pose.to_canonical(landmarks)
        change = np.tile(self.offset, (len(shapes), 1))
        if (self.dynamics != 1).any():
            change += (self.dynamics - 1) * fit_unit_motion(shapes, self.source.mean)
        mouth_gain = mouth_unit_gain(shapes, self.source.mouth_width)
        change *= strength[:, None] * np.where(IS_MOUTH, mouth_gain[:, None], 1.0)
        field = (change @ unit_fields(spectacles)).reshape(len(shapes), -1, 3)
        field += lid_displacement(shapes, aperture_change(dict(zip(ACTION_UNITS, change.T, strict=True))))
        return pose.scale[:, None, None] * np.matmul(field, np.swapaxes(pose.rotation, 1, 2))


def plan_motion(request: ExpressionRequest, source: ClipExpression, reference: ClipExpression | None) -> MotionPlan:
    """Turn a request into changes of action units.

    Args:
        request: What the user asks for.
        source: The face to edit.
        reference: The face in the request's reference clip, if it has one.

    Returns:
        The plan for this face.
    """
    offset, dynamics = np.zeros(len(ACTION_UNITS)), np.ones(len(ACTION_UNITS))
    shading: dict[Emotion, float] = {}
    if reference is not None:
        offset, dynamics, shading = _copied(source, reference)
    elif request.emotion is not None:
        offset, shading = _towards(source, preset_units(request.emotion)), {request.emotion: 1.0}
    if request.sliders is not None:
        offset = offset + slider_units(request.sliders)
    factors = region_factors(request.regions)
    return MotionPlan(
        offset=offset * factors,
        dynamics=1 + (dynamics - 1) * factors,
        shading=shading,
        regions=request.regions,
        source=source,
    )


def plan_units(
    units: np.ndarray, shading: dict[Emotion, float], source: ClipExpression, regions: RegionStrengths
) -> MotionPlan:
    """Plan for action units instead of a request.

    Args:
        units: (K,) activations that the face should show.
        shading: Emotion → weight of its brightness ratio.
        source: The face to edit.
        regions: Strength of each region.

    Returns:
        The plan for this face.
    """
    return MotionPlan(
        offset=_towards(source, units) * region_factors(regions),
        dynamics=np.ones(len(ACTION_UNITS)),
        shading=shading,
        regions=regions,
        source=source,
    )


def _towards(source: ClipExpression, units: np.ndarray) -> np.ndarray:
    """(K,) change that makes a face show units (K,): they come, most of what else the face shows goes."""
    surplus = np.maximum(source.above_neutral - SURPLUS_IGNORED - units, 0.0)
    little = 1 - min(1.0, float(np.abs(units).max()) / FULL)
    removed = np.full(len(units), SURPLUS_REMOVED + little * (NEUTRAL_REMOVED - SURPLUS_REMOVED))
    frown = min(1.0, max(0.0, float(units[FROWN])) / FULL)
    removed[list(SMILE)] += frown * (SMILE_REMOVED - SURPLUS_REMOVED)
    return np.asarray(units - removed * surplus * IS_POSE)


def _copied(source: ClipExpression, reference: ClipExpression) -> tuple[np.ndarray, np.ndarray, dict[Emotion, float]]:
    """Offset (K,), dynamics (K,) and shading that give a face what a reference shows and it does not."""
    asked = sharpened(recognise(reference.mean), neutral=NEUTRAL_REFERENCE)
    shown = sharpened(recognise(source.mean))
    mixture = {emotion: asked[emotion] - shown[emotion] for emotion in asked}
    typical = sum(weight * preset_units(emotion) for emotion, weight in mixture.items())
    measured = MEASURED_GAIN * (reference.above_neutral - source.above_neutral)
    offset = REFERENCE_BOOST * (TYPICAL_SHARE * typical + (1 - TYPICAL_SHARE) * measured)
    highest = np.array([HIGHEST_OFFSETS.get(name, HIGHEST_OFFSET) for name in ACTION_UNITS])
    liveliness = (reference.spread + STILL_SPREAD) / (source.spread + STILL_SPREAD)
    return (
        np.clip(offset, LOWEST_OFFSET, highest) * IS_POSE,
        np.where(IS_MOUTH, 1.0, np.clip(liveliness, *DYNAMICS_LIMITS)),
        {emotion: REFERENCE_BOOST * weight for emotion, weight in mixture.items()},
    )


def sharpened(posterior: Mapping[Emotion, float], *, neutral: float = 1.0) -> dict[Emotion, float]:
    """Favour the likeliest emotions of a posterior: a mixture of half-recognised ones would show none of them.

    Args:
        posterior: Probability of each emotion.
        neutral: Factor on that of neutral.

    Returns:
        Squares, scaled to a sum of 1.
    """
    weights = {emotion: (p * neutral if emotion == "neutral" else p) ** 2 for emotion, p in posterior.items()}
    total = sum(weights.values())
    return {emotion: weight / total for emotion, weight in weights.items()}
