"""The face mesh as a surface without holes, and sample points spread evenly over it.

Mouth and eyes are closed, and two rings continue the mesh past the face's outline. Warping works on the samples: their
number is fixed, so every frame costs the same few vectorised operations, and no triangle rasteriser is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

from . import topology
from .basis import FaceBasis, load_basis

# Rings past the outline: (scale about the oval's centre, share of the outline's motion).
OUTER_RINGS = ((1.18, 0.45), (1.45, 0.0))
# Up to this fraction of the way from the eye's middle to the lid line nothing moves: irises stay round, and lids slide
# over them within the band that is left.
STILL_EYE = 0.62
# Largest distance of samples on and beyond the face, face units.
SPACING_FACE, SPACING_OUTSIDE = 3.2, 6.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """V vertices, the first 478 of them landmarks, F triangles and N samples.

    place: (V, 478) float32; vertices = place @ landmarks.
    carry: (V, 478) float32; displacements of vertices = carry @ displacements of landmarks.
    triangles: (F, 3) indices of vertices.
    interpolate: (N, V) float32, sparse: the barycentric weights of the three vertices around each sample; what samples
        have = interpolate @ what vertices have.
    triangle: (N,) triangle of each sample.
    canonical: (N, 3) float32 position on the canonical face, face units.
    area: (N,) float32 area on the canonical face that a sample stands for.
    skin: (N,) bool: on the face proper, not beyond the outline nor inside mouth or eyes.
    """

    place: np.ndarray
    carry: np.ndarray
    triangles: np.ndarray
    interpolate: csr_array
    triangle: np.ndarray
    canonical: np.ndarray
    area: np.ndarray
    skin: np.ndarray


def _band(outer: list[int], inner: list[int], *, closed: bool) -> list[tuple[int, int, int]]:
    """Triangles between two lines of equal length; ``closed`` joins their ends."""
    count = len(outer)
    faces = []
    for i in range(count if closed else count - 1):
        j = (i + 1) % count
        faces += [(outer[i], outer[j], inner[i]), (inner[i], outer[j], inner[j])]
    return [face for face in faces if len(set(face)) == 3]


def _extend(basis: FaceBasis) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Close and continue the mesh: ``place``, ``carry``, ``triangles`` of :class:`Surface`, and (F,) skin."""
    points = len(basis.canonical)
    place_rows, carry_rows = [np.eye(points)], [np.eye(points)]
    faces = [tuple(map(int, face)) for face in basis.triangles]
    skin = [True] * len(faces)

    def add_rows(place: np.ndarray, carry: np.ndarray) -> list[int]:
        start = sum(map(len, place_rows))
        place_rows.append(place)
        carry_rows.append(carry)
        return list(range(start, start + len(place)))

    oval = list(topology.FACE_OVAL)
    pick = np.eye(points)[oval]
    centre = pick.mean(axis=0)
    inner = oval
    for scale, share in OUTER_RINGS:
        outer = add_rows(centre + scale * (pick - centre), share * pick)
        faces += _band(outer, inner, closed=True)
        inner = outer

    upper, lower = list(topology.INNER_LIP_UPPER), list(topology.INNER_LIP_LOWER)
    faces += _band(upper, lower, closed=False)

    for eye_upper, eye_lower in zip(topology.EYE_UPPER, topology.EYE_LOWER, strict=True):
        lids = list(topology.ring(eye_upper, eye_lower))
        pick = np.eye(points)[lids]
        # The eye's middle, not the iris centre: it stays put when the gaze moves, so no triangle ever folds.
        middle = np.tile(pick.mean(axis=0), (len(lids), 1))
        still = add_rows(middle + STILL_EYE * (pick - middle), np.zeros_like(pick))
        faces += _band(lids, still, closed=True)
        tip = add_rows(middle[:1], np.zeros_like(middle[:1]))[0]
        faces += [(still[i], still[(i + 1) % len(still)], tip) for i in range(len(still))]
    skin += [False] * (len(faces) - len(skin))
    place, triangles = np.vstack(place_rows), np.array(faces)
    a, b, c = (place[triangles[:, i]] @ basis.canonical for i in range(3))
    away = np.cross(b - a, c - a)[:, 2] > 0  # every normal of the canonical face looks at the camera
    triangles[away] = triangles[away][:, [0, 2, 1]]
    return place, np.vstack(carry_rows), triangles, np.array(skin)


def _lattice(n: int) -> np.ndarray:
    """Barycentric centroids (n², 3) of a triangle cut into n² equal ones."""
    points = []
    for i in range(n):
        for j in range(n - i):
            points.append((i + 1 / 3, j + 1 / 3))
            if j < n - i - 1:
                points.append((i + 2 / 3, j + 2 / 3))
    ab = np.array(points) / n
    return np.column_stack([1 - ab.sum(axis=1), ab])


@lru_cache(maxsize=2)
def face_surface(density: float = 1.0) -> Surface:
    """Build the surface of the embedded basis.

    Args:
        density: Divides the spacing of the samples.

    Returns:
        The surface; kept for the process.
    """
    basis = load_basis()
    place, carry, triangles, skin = _extend(basis)
    vertices = place @ basis.canonical
    corners, weights, owner = [], [], []
    for index, face in enumerate(triangles):
        points = vertices[face]
        longest = max(np.linalg.norm(points[i] - points[i - 1]) for i in range(3))
        spacing = (SPACING_FACE if face.max() < len(basis.canonical) else SPACING_OUTSIDE) / density
        lattice = _lattice(max(1, round(float(longest) / spacing)))
        corners.append(np.tile(face, (len(lattice), 1)))
        weights.append(lattice)
        owner.append(np.full(len(lattice), index))
    corner, weight, triangle = np.concatenate(corners), np.concatenate(weights), np.concatenate(owner)
    row_starts = np.arange(0, corner.size + 1, 3, dtype=np.int32)
    weight, column = weight.astype(np.float32).ravel(), corner.astype(np.int32).ravel()
    interpolate = csr_array((weight, column, row_starts), shape=(len(corner), len(place)))
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    face_area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return Surface(
        place=place.astype(np.float32),
        carry=carry.astype(np.float32),
        triangles=triangles,
        interpolate=interpolate,
        triangle=triangle,
        canonical=(interpolate @ vertices).astype(np.float32),
        area=(face_area / np.bincount(triangle, minlength=len(triangles)))[triangle].astype(np.float32),
        skin=skin[triangle],
    )
