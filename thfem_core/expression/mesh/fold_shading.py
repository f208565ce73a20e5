"""Folds that belong to the skin: how an expression shades a face, from its geometry and the light of the clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np

from ...face.mesh.canonical import canonical_mesh
from ...face.mesh.lip_aperture import mouth_unit_gain
from ...face.mesh.surface import face_surface
from ...face.pose import HeadPose, head_pose
from ...face.smoothstep import smoothstep
from ...media.frame import Box, Frame
from .fold_maps import FoldMaps, load_fold_maps
from .lighting import Light, measure_light, softplus
from .plan import IS_MOUTH, MotionPlan

# Gains of normals, hollows and drawn furrows.
NORMALS, HOLLOWS, FURROWS = 1.6, 2.6, 1.1
GAMMA = 2.2
PERSONAL_SHAPE = 0.6  # share of the person's own normals that is believed
HOLLOW_WIDTH = 0.02  # softness of the step from bulge to hollow
BRIGHTENING = 0.5  # share of hollows' brightening that is drawn
SOCKETS = 0.3  # share of hollows that is drawn in the eye sockets
EDGE_ON = (0.1, 0.4)  # cosines towards the camera between which shading comes in
DARKEST, BRIGHTEST = 0.28, 0.2  # limits of the log gain
# Contrast of skin (log luma between blurs of two widths, face units) that takes full folds; smooth skin takes less.
USUAL_CONTRAST, CONTRAST_LIMITS, CONTRAST_BLURS = 0.03, (0.5, 1.2), (1.2, 5.0)
# Slopes of the channels' log gain: skin's shadows are redder than grey.
SKIN_SLOPES = np.array([0.86, 1.05, 1.12])
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Skin:
    """What a face's skin looks like in a clip.

    light: That falls on it, in camera axes.
    contrast: 0.5..1.2, how much of the folds it takes.
    slopes: (3,) factors on the log gain of R, G and B.
    """

    light: Light
    contrast: float
    slopes: np.ndarray


class Shading(Protocol):
    """Brightens and darkens a face as an expression does."""

    @property
    def slopes(self) -> Sequence[float]:
        """Factors on the log gain for R, G and B."""
        ...

    def log_gain(self, landmarks: np.ndarray, strength: float) -> np.ndarray:
        """Shade a frame.

        Args:
            landmarks: (478, 3) in pixels, before the edit.
            strength: Factor on the plan.

        Returns:
            (N,) float32 log gain on the samples of the face surface; 0 off the skin.
        """
        ...


class FoldShading:
    """Shades one face of a clip as a plan moves it (implements :class:`Shading`)."""

    def __init__(self, plan: MotionPlan, skin: Skin, *, texture: float = 1.0) -> None:
        """Work out what stays the same over the clip.

        Args:
            plan: How the face is moved.
            skin: As measured in the clip.
            texture: Gain of all of it.
        """
        self._texture = texture
        maps = load_fold_maps()
        self._maps, self._skin, self._plan = maps, skin, plan
        # rows of x, y and z (and of both radii), which numpy computes with several times faster than with columns
        self._normal = np.ascontiguousarray(_own_normals(maps, plan.source.mean.shape).T)
        activation = plan.offset[maps.units]
        activation = np.where(maps.furrows, FURROWS * skin.contrast * np.maximum(activation, 0), activation)
        mouth = IS_MOUTH[maps.units]
        parts = (np.where(mouth, 0, activation), np.where(mouth, activation, 0))
        self._tilts = [_mixed(part, maps.normal_change) for part in parts]
        self._hollows = [_mixed(part, maps.concavity_change) for part in parts]
        self._concavity = np.ascontiguousarray(maps.concavity.T)
        self._flat = _hollowness(self._concavity)

    @property
    def slopes(self) -> Sequence[float]:
        """See :class:`Shading`."""
        return tuple(map(float, self._skin.slopes))

    def log_gain(self, landmarks: np.ndarray, strength: float) -> np.ndarray:
        """See :meth:`Shading.log_gain`."""
        pose = head_pose(landmarks[None], canonical_mesh())
        mouth = float(mouth_unit_gain(pose.to_canonical(landmarks[None]), self._plan.source.mouth_width)[0])
        rest_tilt, mouth_tilt = self._tilts
        rest_hollow, mouth_hollow = self._hollows
        tilted = self._normal + np.float32(strength) * (rest_tilt + np.float32(mouth) * mouth_tilt)
        tilted /= np.sqrt((tilted * tilted).sum(axis=0))
        light = self._skin.light.turned(pose.rotation[0])
        by_light = np.log(light.brightness(tilted.T) / light.brightness(self._normal.T)) / GAMMA
        hollow = self._concavity + np.float32(strength) * (rest_hollow + np.float32(mouth) * mouth_hollow)
        by_hollow = self._flat - _hollowness(hollow)
        by_hollow *= np.where(by_hollow > 0, np.float32(BRIGHTENING), np.float32(1)) * _socket_damping()
        contrast = self._skin.contrast
        gain = NORMALS * float(np.sqrt(contrast)) * by_light + HOLLOWS * contrast * by_hollow
        limit = np.where(gain < 0, np.float32(DARKEST), np.float32(BRIGHTEST))
        gain = limit * np.tanh(gain / limit)
        out = np.zeros(len(face_surface().canonical), np.float32)
        # Skin seen edge on is left alone: its shade would spill over the silhouette.
        facing = smoothstep(-(pose.rotation[0, 2].astype(np.float32) @ self._normal), *EDGE_ON)
        out[self._maps.samples] = self._texture * gain * facing * self._maps.skin
        return out


def measure_skin(frames: Sequence[Frame], landmarks: Sequence[np.ndarray], shape: np.ndarray) -> Skin:
    """Measure light, contrast and tint of a face in some frames.

    Args:
        frames: In which the face is clearly seen.
        landmarks: (478, 3) in pixels, of each frame.
        shape: (478, 3) mean shape of the face on the canonical head, face units.

    Returns:
        What its skin looks like; typical skin where there is no frame.
    """
    maps = load_fold_maps()
    normals, brightness, weights, contrasts, colours = [], [], [], [], []
    own = _own_normals(maps, shape)
    for frame, points in zip(frames, landmarks, strict=True):
        pose = head_pose(points[None], canonical_mesh())
        look = _look(frame, points, pose, maps)
        if look is None:
            continue
        turned = own @ pose.rotation[0].T
        facing = smoothstep(-turned[:, 2], 0.15, 0.4) * look.inside * (maps.skin > 0.5)
        facing *= face_surface().canonical[maps.samples, 1] < 125
        normals.append(turned)
        brightness.append((look.rgb @ LUMA / 255) ** GAMMA + 1e-4)
        weights.append(facing)
        contrasts.append(look.contrast)
        colours.append(look.rgb[facing > 0.5])
    if not normals:
        return Skin(light=measure_light(np.zeros((0, 3)), np.zeros(0), np.zeros(0)), contrast=1.0, slopes=SKIN_SLOPES)
    light = measure_light(np.concatenate(normals), np.concatenate(brightness), np.concatenate(weights))
    contrast = float(np.clip(np.median(contrasts) / USUAL_CONTRAST, *CONTRAST_LIMITS))
    return Skin(light=light, contrast=contrast, slopes=_slopes(np.concatenate(colours)))


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class _Look:
    """rgb: (S, 3) float32 blurred colours at the samples. inside: (S,) bool, in the frame. contrast: of the cheeks."""

    rgb: np.ndarray
    inside: np.ndarray
    contrast: float


def _look(frame: Frame, landmarks: np.ndarray, pose: HeadPose, maps: FoldMaps) -> _Look | None:
    surface = face_surface()
    vertices = surface.place @ landmarks[:, :2]
    points = (surface.interpolate @ vertices)[maps.samples]
    low, high = np.floor(points.min(axis=0)).astype(int) - 2, np.ceil(points.max(axis=0)).astype(int) + 2
    box = Box(*map(int, low), *map(int, high)).clipped(frame.width, frame.height)
    if not box.width or not box.height:
        return None
    unit = float(pose.scale[0])
    rgb = frame.rgb(box).astype(np.float32)
    x, y = (points - box[:2] - 0.5).astype(np.float32).T
    inside = (x >= 0) & (y >= 0) & (x <= box.width - 1) & (y <= box.height - 1)

    def at_samples(picture: np.ndarray) -> np.ndarray:
        sampled = cv2.remap(picture, x[:, None], y[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(sampled, np.float32).reshape(len(x), -1)

    colours = at_samples(cv2.GaussianBlur(rgb, (0, 0), max(0.5, 2 * unit)))
    luma = np.log(rgb @ LUMA + 8)
    fine, coarse = (cv2.GaussianBlur(luma, (0, 0), max(0.3, blur * unit)) for blur in CONTRAST_BLURS)
    place = surface.canonical[maps.samples]
    cheek = (np.abs(place[:, 0]) > 22) & (np.abs(place[:, 0]) < 52) & (place[:, 1] > 16) & (place[:, 1] < 70) & inside
    detail = at_samples(fine - coarse)[cheek, 0]
    contrast = 1.48 * float(np.median(np.abs(detail - np.median(detail)))) if cheek.any() else USUAL_CONTRAST
    return _Look(rgb=colours, inside=inside, contrast=contrast)


def _slopes(colours: np.ndarray) -> np.ndarray:
    """(3,) slopes: half of skin's usual ones, half of log channels on log luma of the clip's own skin (S, 3)."""
    if len(colours) < 500:
        return SKIN_SLOPES
    log = np.log(colours + 4)
    luma = np.log(colours @ LUMA + 4)
    luma = luma - luma.mean()
    own = (luma[:, None] * (log - log.mean(axis=0))).sum(axis=0) / ((luma**2).sum() + 1e-6)
    return np.asarray(0.5 * SKIN_SLOPES + 0.5 * np.clip(own, 0.7, 1.4))


def _mixed(activations: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Sum of maps (E, S, C) by activations (E,), as rows (C, S)."""
    return np.ascontiguousarray(np.tensordot(activations.astype(np.float32), maps, axes=1).T)


def _hollowness(concavity: np.ndarray) -> np.ndarray:
    """(S,) 0 on bulges, rising in hollows, of concavities (2, S) over both radii."""
    return np.asarray(softplus(concavity[0], HOLLOW_WIDTH) + softplus(concavity[1], HOLLOW_WIDTH))


@lru_cache(maxsize=1)
def _socket_damping() -> np.ndarray:
    """(S,) factor on hollows: :data:`SOCKETS` around the eyes, 1 elsewhere."""
    place = face_surface().canonical[load_fold_maps().samples]
    factor = np.ones(len(place), np.float32)
    for x in (-31.0, 31.0):
        distance = np.hypot((place[:, 0] - x) / 26, (place[:, 1] + 1) / 15)
        factor = np.minimum(factor, SOCKETS + (1 - SOCKETS) * smoothstep(distance, 0.75, 1.2))
    return factor


def _own_normals(maps: FoldMaps, shape: np.ndarray) -> np.ndarray:
    """(S, 3) float32 normals of a person: those of the maps, plus how the person's mesh differs from the average."""
    difference = _mesh_normals(shape) - _mesh_normals(canonical_mesh())
    own = maps.normal + np.float32(PERSONAL_SHAPE) * difference[maps.samples]
    return np.asarray(own / np.linalg.norm(own, axis=1, keepdims=True), np.float32)


def _mesh_normals(shape: np.ndarray) -> np.ndarray:
    """(N, 3) float32 normals of a mesh (478, 3) at the samples of the face surface, smooth over triangles."""
    surface = face_surface()
    vertices = surface.place @ shape
    a, b, c = (vertices[surface.triangles[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    flat[flat[:, 2] > 0] *= -1
    smooth = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(smooth, surface.triangles[:, k], flat)
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True) + 1e-9
    at_samples = surface.interpolate @ smooth
    return np.asarray(at_samples / (np.linalg.norm(at_samples, axis=1, keepdims=True) + 1e-9), np.float32)
