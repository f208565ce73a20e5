"""From a request and a tracked face to displacements of its mesh, block of frames by block of frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...face.mesh.basis import load_basis
from ...face.mesh.canonical import canonical_shapes
from ...face.mesh.lip_aperture import aperture_keeper, mouth_allowance, mouth_width
from ...face.pose import head_pose
from ...face.tracking.track import FaceTrack
from ..request import Emotion, ExpressionRequest, RegionStrengths
from .action_units import READ_UNITS, ClipUnits, read_mean_units, read_unit_motion
from .brows import brow_stiffener
from .eyes import aperture_change, lid_calm, lid_displacement
from .presets import MOUTH_POSE_UNITS, preset_units, region_factors, region_of
from .recognition import recognise
from .silhouette import outline_damping
from .slider_units import slider_units
from .spectacles import rim_damping

# Frames, evenly spread over the track, from which the clip's own expression is read.
READING_FRAMES = 240
# What the reading gives on neutral clips of many people: its bias, not their expression.
USUAL = {"browDown": 0.1, "eyeWide": 0.13, "eyeSquint": 0.08, "mouthShrugUpper": 0.12, "noseSneer": 0.1}
USUAL |= {"mouthShrugLower": 0.12, "mouthSmile": 0.06, "mouthFrown": 0.06, "mouthRollLower": 0.08, "browOuterUp": 0.03}
# A preset removes this share of a unit that the person shows but the emotion does not have.
RELEASE = 0.7
RELEASE_FLOOR = 0.1
# Transfer from a reference: a share of what the recognised emotions typically show and a share of what was measured
# (its gain undoes the shrinkage of the reading's priors), a boost of both, limits of the ratio of the dynamics, and
# caps on units that look wrong on other mouths and noses.
REFERENCE_TYPICAL = 0.9
REFERENCE_GAIN = 1.6
REFERENCE_BOOST = 1.4
DYNAMICS_LIMITS = (0.5, 2.0)
REFERENCE_CAPS = {"mouthPress": 0.4, "noseSneer": 0.4}


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipReading:
    """What a face does over a clip. units: means; spread: (K,) standard deviation of each unit over time;
    width: median mouth width in face units."""

    units: ClipUnits
    spread: np.ndarray
    width: float

    @property
    def expressed(self) -> np.ndarray:
        """(K,) mean activations less what the reading sees on neutral faces, ≥ 0."""
        usual = np.array([USUAL.get(name, 0.0) for name in READ_UNITS])
        return np.maximum(self.units.mean - usual, 0.0)


@lru_cache(maxsize=2)
def _fields(spectacles: bool) -> np.ndarray:
    """(K, 478 * 3) displacement of each unit: lips' aperture kept, brows stiff, outline calm, lids left to eyes.py,
    rims near rigid."""
    basis = load_basis()
    fields = np.stack([basis.action_units[basis.index(name)] for name in READ_UNITS]).astype(np.float64)
    fields = np.einsum("pq,kqc->kpc", brow_stiffener(), fields)
    fields *= (outline_damping() * lid_calm())[:, None]
    if spectacles:
        fields *= rim_damping()[:, None]
    fields = np.einsum("pq,kqc->kpc", aperture_keeper(), fields)
    return fields.reshape(len(READ_UNITS), -1)


def read_clip(track: FaceTrack) -> ClipReading | None:
    """Read the expression of a track from evenly spread frames; None if it holds no usable frame."""
    length = track.stop_frame - track.first_frame
    runs = []
    block = 8  # short runs keep reading cheap on disk while covering the whole track
    for start in np.unique(np.linspace(0, max(0, length - block), READING_FRAMES // block).astype(int)):
        first = track.first_frame + int(start)
        samples = track.samples(first, min(first + block, track.stop_frame))
        runs.append(samples.landmarks[samples.weight > 0])
    landmarks = np.concatenate(runs)
    if not len(landmarks):
        return None
    shapes = canonical_shapes(landmarks)
    units = read_mean_units(shapes)
    return ClipReading(
        units=units,
        spread=read_unit_motion(shapes, units).std(axis=0),
        width=float(np.median(mouth_width(shapes))),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class MotionPlan:
    """Per unit: activation change = offset + (dynamics − 1) · (the source's own motion of that unit).

    offset, dynamics: (K,) at strength 1, regions included. ratio: emotion → weight of its brightness ratio, to be
    taken at the strengths of ``regions``.
    """

    offset: np.ndarray
    dynamics: np.ndarray
    ratio: dict[Emotion, float]
    regions: RegionStrengths
    source: ClipReading

    def displacements(self, landmarks: np.ndarray, strength: np.ndarray, *, spectacles: bool = False) -> np.ndarray:
        """(T, 478, 3) pixels for landmarks (T, 478, 3) pixels and strength (T,), all finite."""
        pose = head_pose(landmarks, load_basis().canonical)
        shapes = pose.to_canonical(landmarks)
        change = np.tile(self.offset, (len(shapes), 1))
        if (self.dynamics != 1).any():
            change += (self.dynamics - 1) * read_unit_motion(shapes, self.source.units)
        is_mouth = np.array([region_of(name) == "mouth" for name in READ_UNITS])
        allowance = mouth_allowance(shapes, self.source.width)
        change *= strength[:, None] * np.where(is_mouth, allowance[:, None], 1.0)
        field = (change @ _fields(spectacles)).reshape(len(shapes), -1, 3)
        field += lid_displacement(shapes, aperture_change(dict(zip(READ_UNITS, change.T, strict=True))))
        return pose.scale[:, None, None] * np.matmul(field, np.swapaxes(pose.rotation, 1, 2))


def _sharpened(posterior: Mapping[Emotion, float]) -> dict[Emotion, float]:
    """Squared and normalised: a mixture of half-recognised emotions would show none of them. A reference is given
    for what it shows, so neutral counts half."""
    weights = {emotion: (p / 2 if emotion == "neutral" else p) ** 2 for emotion, p in posterior.items()}
    total = sum(weights.values())
    return {emotion: weight / total for emotion, weight in weights.items()}


def plan_motion(request: ExpressionRequest, source: ClipReading, reference: ClipReading | None) -> MotionPlan:
    """Turn a request into unit changes. ``reference`` is the reading of the request's reference clip, if any."""
    factors = region_factors(request.regions)
    dynamics = np.ones(len(READ_UNITS))
    poses = np.array([region_of(n) != "mouth" or n in MOUTH_POSE_UNITS for n in READ_UNITS])
    if reference is not None:
        caps = np.array([REFERENCE_CAPS.get(name, 1.3) for name in READ_UNITS])
        wanted, shown = (_sharpened(recognise(reading.units)) for reading in (reference, source))
        mixture = {emotion: wanted[emotion] - shown[emotion] for emotion in wanted}
        typical = sum(weight * preset_units(emotion) for emotion, weight in mixture.items())
        measured = REFERENCE_GAIN * (reference.expressed - source.expressed)
        offset = REFERENCE_TYPICAL * typical + (1 - REFERENCE_TYPICAL) * measured
        offset = np.clip(REFERENCE_BOOST * offset, -1.0, caps) * poses
        quiet = np.array([region_of(name) == "mouth" for name in READ_UNITS])
        dynamics = np.where(quiet, 1.0, np.clip((reference.spread + 0.02) / (source.spread + 0.02), *DYNAMICS_LIMITS))
        ratio = {emotion: REFERENCE_BOOST * weight for emotion, weight in mixture.items()}
    elif request.emotion is None:
        offset, ratio = np.zeros(len(READ_UNITS)), {}
    else:
        emotion = request.emotion
        preset = preset_units(emotion)
        surplus = np.maximum(source.expressed - RELEASE_FLOOR - preset, 0.0)
        offset = preset - (RELEASE if preset.any() else 1.0) * surplus * poses
        ratio = {emotion: 1.0}
    if request.sliders is not None:
        offset = offset + slider_units(request.sliders)
    return MotionPlan(
        offset=offset * factors,
        dynamics=1 + (dynamics - 1) * factors,
        ratio=ratio,
        regions=request.regions,
        source=source,
    )
