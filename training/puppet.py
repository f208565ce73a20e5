"""A photograph that talks: landmarks moved by action units and head pose, the picture warped to follow."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator

# Inner lip, image left to right: upper and lower points in pairs, and the two corners.
UPPER_INNER = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER = (95, 88, 178, 87, 14, 317, 402, 318, 324)
CORNERS = (78, 308)
INNER_LIPS = (78, *UPPER_INNER, 308, *LOWER_INNER[::-1])
# Upper and lower lid edge from one corner of the eye to the other, and the crease above.
EYES = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133), (30, 29, 27, 28, 56)),
    (
        (362, 398, 384, 385, 386, 387, 388, 466, 263),
        (362, 382, 381, 380, 374, 373, 390, 249, 263),
        (286, 258, 257, 259, 260),
    ),
)
FACE_POINTS = 468  # without the irises
MOUTH_DARK_RGB = np.array([48, 18, 16], np.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pose:
    """One moment. Angles in degrees; gap in % of the outer-eye distance; the rest 0..1 (wide < 0 is rounded)."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    gap: float = 0.0
    wide: float = 0.0
    tuck: float = 0.0
    blink: float = 0.0
    brows: float = 0.0


class Puppet:
    """rgb: uint8 (S, S, 3). landmarks: (478, 3) pixels. canonical (478, 3) and shapes, name → (478, 3): face units."""

    def __init__(
        self, rgb: np.ndarray, landmarks: np.ndarray, canonical: np.ndarray, shapes: dict[str, np.ndarray]
    ) -> None:
        self.rgb, self.size = rgb, rgb.shape[0]
        self.face = landmarks[:FACE_POINTS].astype(np.float64)
        to_image, self.unit = _similarity(canonical[:FACE_POINTS], self.face)
        self.shapes = {name: shape[:FACE_POINTS] @ to_image.T for name, shape in shapes.items()}
        self.anchors, follow = _anchors(self.face, self.size)
        self.points = np.vstack([self.face, self.anchors])
        self.follow = np.concatenate([np.ones(FACE_POINTS), follow])
        self.rest_gap = float((self.face[LOWER_INNER, 1] - self.face[UPPER_INNER, 1])[4])

    def render(self, pose: Pose) -> np.ndarray:
        """uint8 (S, S, 3)."""
        target = np.vstack([self._expression(pose), self.anchors])
        target += self.follow[:, None] * (self._turned(target, pose) - target)
        flow = self._backward_map(target)
        warped = cv2.remap(self._blinked(pose.blink), *flow, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return self._with_mouth(warped, target)

    def _expression(self, pose: Pose) -> np.ndarray:
        """Landmarks after action units: the photographed smile taken back, then speech and lids."""
        face = self.face.copy()
        units = {
            "mouthSmile": -0.75 + 0.2 * max(pose.wide, 0),
            "cheekSquint": -0.35,
            "mouthPucker": 0.9 * max(-pose.wide, 0),
            "mouthFunnel": 0.5 * max(-pose.wide, 0),
            "mouthUpperUp": -0.25,
            "browInnerUp": pose.brows,
            "browOuterUp": 0.6 * pose.brows,
        }
        for name, amount in units.items():
            face += amount * self.shapes[name]
        upper, lower = face[UPPER_INNER, 1], face[LOWER_INNER, 1]
        jaw_reach = (self.shapes["jawOpen"][LOWER_INNER, 1] - self.shapes["jawOpen"][UPPER_INNER, 1])[4]
        wanted = pose.gap * self.unit / 100
        jaw = (wanted - (lower - upper)[4]) / jaw_reach
        face += max(jaw, -0.12) * self.shapes["jawOpen"]
        self._set_lip_gap(face, wanted, pose.tuck)
        return face

    def _set_lip_gap(self, face: np.ndarray, wanted: float, tuck: float) -> None:
        """Bring the inner lips to the wanted opening; lips and chin follow with distance."""
        profile = np.sin(np.linspace(0.1, 0.9, len(UPPER_INNER)) * np.pi) ** 0.7
        upper, lower = list(UPPER_INNER), list(LOWER_INNER)
        surplus = face[lower, 1] - face[upper, 1] - wanted * profile
        self._pull(face, upper, lower, 0.35 * surplus)
        self._pull(face, lower, upper, -0.65 * surplus - tuck * 0.02 * self.unit * profile)
        middle = (face[upper, 1] + face[lower, 1]) / 2
        face[upper, 1] = np.minimum(face[upper, 1], middle)
        face[lower, 1] = np.maximum(face[lower, 1], middle)

    def _pull(self, face: np.ndarray, lip: list[int], other_lip: list[int], down: np.ndarray) -> None:
        """Move one lip by ``down`` pixels, and the skin on its side less and less with distance."""
        middle = face[lip + other_lip, 1].mean()
        same_side = (face[:, 1] - middle) * (face[lip, 1].mean() - middle) >= 0
        same_side[lip], same_side[other_lip] = True, False
        distance = np.linalg.norm(face[:, None, :2] - face[None, lip, :2], axis=2)
        near = np.exp(-((distance / (0.06 * self.unit)) ** 2)) + 1e-9
        share = same_side * np.exp(-0.5 * (distance.min(axis=1) / (0.09 * self.unit)) ** 2)
        face[:, 1] += share * (near @ down) / near.sum(axis=1)

    def _blinked(self, blink: float) -> np.ndarray:
        """The photograph with the upper lids slid over the eyes: lid skin is stretched, the eye does not move."""
        y, x = np.mgrid[: self.size, : self.size].astype(np.float32)
        source_y = y.copy()
        for upper, lower, crease in EYES:
            curves = (self.face[list(points), :2] - 0.5 for points in (upper, lower, crease))
            top, bottom, fold = (np.interp(x[0], curve[:, 0], curve[:, 1]) for curve in curves)
            fold = np.minimum(fold, top - 1)
            edge = top + blink * np.clip(bottom - top, 0, None)
            lashes = np.minimum(0.04 * self.unit, 0.6 * (top - fold))
            stretched = fold + (y - fold) * (top - lashes - fold) / (edge - lashes - fold)
            slid = np.where(y < edge - lashes, stretched, y - edge + top)
            source_y = np.where((y > fold) & (y < edge) & (edge > top), slid, source_y).astype(np.float32)
        return cv2.remap(self.rgb, x, source_y, cv2.INTER_CUBIC)

    def _turned(self, points: np.ndarray, pose: Pose) -> np.ndarray:
        """Rotated about the neck, weak perspective."""
        yaw, pitch, roll = np.radians([pose.yaw, pose.pitch, pose.roll])
        about_y = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
        about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        pivot = np.array([self.face[152, 0], self.face[152, 1] + 0.25 * self.unit, 0.8 * self.unit])
        return (points - pivot) @ (about_z @ about_x @ about_y).T + pivot

    def _backward_map(self, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where each output pixel comes from, linear between the moved points.

        The triangles are those of the target, so the map never folds. Smoothed, except across the lips.
        """
        y, x = np.mgrid[: self.size, : self.size] + 0.5
        moved = LinearNDInterpolator(target[:, :2], self.points[:, :2] - target[:, :2], fill_value=0.0)
        shift = moved(x, y)
        sharp: np.ndarray = np.zeros((self.size, self.size), np.float32)
        cv2.fillPoly(sharp, [np.round(target[list(INNER_LIPS), :2]).astype(np.int32)], 1.0)
        sharp = cv2.GaussianBlur(cv2.dilate(sharp, np.ones((5, 5))), (0, 0), 1.0)[..., None]
        shift = sharp * shift + (1 - sharp) * cv2.GaussianBlur(shift, (0, 0), 1.5)
        map_xy = (np.stack([x, y], axis=-1) + shift - 0.5).astype(np.float32)
        return map_xy[..., 0], map_xy[..., 1]

    def _with_mouth(self, warped: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Paint the inside of the mouth: the photographed teeth hang on the upper lip, darkness is below them."""
        lips = target[list(INNER_LIPS), :2]
        mask = np.zeros((self.size, self.size), np.uint8)
        cv2.fillPoly(mask, [np.round(lips * 16 - 8).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
        source_mask: np.ndarray = np.zeros_like(mask)
        source_lips = self.face[list(INNER_LIPS), :2]
        cv2.fillPoly(source_mask, [np.round(source_lips * 16 - 8).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
        source_mask = cv2.erode(source_mask, np.ones((3, 3), np.uint8))
        corners, source_corners = target[list(CORNERS)].mean(0), self.face[list(CORNERS)].mean(0)
        upper = list(UPPER_INNER[3:6])
        drop = target[upper, 1].mean() - self.face[upper, 1].mean()
        affine = np.array([[1, 0, corners[0] - source_corners[0]], [0, 1, drop]])
        teeth = cv2.warpAffine(self.rgb, affine, (self.size, self.size), flags=cv2.INTER_CUBIC).astype(np.float32)
        teeth_mask = cv2.warpAffine(source_mask, affine, (self.size, self.size)).astype(np.float32) / 255
        has_teeth = cv2.GaussianBlur(teeth_mask, (0, 0), 1.2)[..., None]
        opening = np.clip((target[14, 1] - target[13, 1]) / (1.5 * self.rest_gap), 0, 1)
        inside = has_teeth * teeth * (1 - 0.15 * opening) + (1 - has_teeth) * MOUTH_DARK_RGB
        inside_mask = mask.astype(np.float32) / 255
        shade = cv2.GaussianBlur(inside_mask, (0, 0), 1.6)[..., None]
        inside = inside * (0.7 + 0.3 * np.clip(shade * 1.4 - 0.4, 0, 1))
        inside *= 0.25 + 0.75 * np.clip(3 * opening, 0, 1)
        alpha = cv2.GaussianBlur(inside_mask, (0, 0), 0.7)[..., None]
        return np.clip(alpha * inside + (1 - alpha) * warped, 0, 255).astype(np.uint8)


def _similarity(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, float]:
    """(3, 3) scaled rotation from canonical units to pixels, and the outer-eye distance in pixels."""
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    scale = np.trace(np.diag(s) @ sign) / (a**2).sum()
    return scale * u @ sign @ vt, float(np.linalg.norm(target[33] - target[263]))


def _anchors(face: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Points around the face: hair and head move with it, the far background and the shoulders stay."""
    low, high = face[:, :2].min(0), face[:, :2].max(0)
    centre = np.array([(low[0] + high[0]) / 2, low[1] + 0.38 * (high[1] - low[1])])
    radius = np.array([0.92 * (high[0] - low[0]), 0.78 * (high[1] - low[1])])
    points, follow = [], []
    for factor, share in ((0.8, 1.0), (1.02, 0.97), (1.3, 0.55), (1.7, 0.12)):
        for angle in np.linspace(0, 2 * np.pi, 28, endpoint=False):
            offset = np.array([np.cos(angle), np.sin(angle)])
            point = centre + factor * radius * offset
            inside_oval = cv2.pointPolygonTest(cv2.convexHull(face[:, :2].astype(np.float32)), point.tolist(), True)
            if inside_oval > -8 or not (4 < point[0] < size - 4 and 4 < point[1] < size - 4):
                continue
            neck = np.clip((point[1] - high[1]) / (0.35 * (high[1] - low[1])), 0, 1)
            points.append((*point, 0.3 * (high[0] - low[0])))
            follow.append(share * (1 - neck) ** 2)
    edge = np.linspace(0, size, 9)
    border = {(x, y) for x in edge for y in (0.0, float(size))} | {(x, y) for y in edge for x in (0.0, float(size))}
    points += [(*p, 0.0) for p in sorted(border)]
    follow += [0.0] * len(border)
    return np.array(points), np.array(follow)
