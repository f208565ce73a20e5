"""Pack the maps of folds into the safetensors file that ships with the package.

    python -m training.build_fold_maps ict_fold_maps.npz thfem_core/weights

Input (made once from ICT-FaceKit, MIT): per action unit the change of the surface normal and of the concavity of the
neutral face in a cylindrical map of the face, see the ``note`` in the file; and hand-drawn heights of furrows.

A furrow of height h (face units) along the normal n tilts the normal by -∇h and hollows the surface by ∇²h times a
constant; both are added to the maps of its action unit as a second entry, which acts only for positive activations.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import save_file

from thfem_core.expression.mesh.action_units import ACTION_UNITS

SIZE = 128
# Pixels of the input map per face unit, across (on the average radius of a face) and down.
ACROSS, DOWN = 96.6 / 85.2, 1.232
# Soft furrows that scanned shapes lack, of frowning brows: between the brows, and beside the root of the nose.
# (x, top, bottom, standard deviation across, depth), face units; drawn on both sides.
SOFT_FURROWS = ((8.0, -25.0, -4.0, 3.2, 0.9), (13.0, -6.0, 12.0, 4.0, 0.5))
SOFT_ENDS = 5.0  # standard deviation of their ends, face units
CENTRE_COLUMN, EYE_ROW, BROW_COLUMNS = 128.0, 82.9, 0.92  # of the input map; columns per face unit between the brows
FURROW_CONCAVITY = 0.42  # change of the concavity over 5 face units per unit of ∇²h
FOREHEAD_UNITS, FOREHEAD_BLUR = ("browInnerUp", "browOuterUp"), 5  # pixels along the lines: a pit looked like a blot


def shrunk(field: np.ndarray) -> np.ndarray:
    """(S, S, C) → (SIZE, SIZE, C) by area."""
    small = cv2.resize(field.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return small.reshape(SIZE, SIZE, -1)


def furrow_fields(height: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normal change (S, S, 2) and concavity change (S, S, 2) of a height map (S, S)."""
    rows, columns = np.gradient(height.astype(np.float64))
    across, down = columns * ACROSS, rows * DOWN
    laplacian = np.gradient(across, axis=1) * ACROSS + np.gradient(down, axis=0) * DOWN
    hollow = FURROW_CONCAVITY * laplacian
    return np.stack([-across, -down], axis=-1), np.stack([hollow, np.zeros_like(hollow)], axis=-1)


def soft_furrows(size: int) -> np.ndarray:
    """Height map (S, S) of :data:`SOFT_FURROWS`, face units."""
    rows, columns = np.mgrid[:size, :size] + 0.5
    x, y = (columns - CENTRE_COLUMN) / BROW_COLUMNS, (rows - EYE_ROW) / DOWN
    height = np.zeros((size, size))
    for centre, top, bottom, spread, depth in SOFT_FURROWS:
        outside = np.maximum(0, np.maximum(top - y, y - bottom))
        ends = np.exp(-0.5 * (outside / SOFT_ENDS) ** 2)
        for side in (-1, 1):
            height -= depth * ends * np.exp(-0.5 * ((x - side * centre) / spread) ** 2)
    return height


def packed(fields: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """int8 (E, SIZE, SIZE, C) and float32 (E,): fields = values · scale."""
    small = np.stack([shrunk(field) for field in fields])
    scale = np.maximum(np.abs(small).max(axis=(1, 2, 3)), 1e-9) / 127
    return np.rint(small / scale[:, None, None, None]).astype(np.int8), scale.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("maps", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    maps = np.load(arguments.maps)
    names, normals, hollows = [], [], []
    shapes = list(map(str, maps["shape_names"]))
    for name in ACTION_UNITS:
        k = shapes.index(name)
        normal = maps["normal_change"][k].astype(np.float32) * maps["normal_scale"][k]
        hollow = maps["concavity_change"][k].astype(np.float32) * maps["concavity_scale"][k]
        if name in FOREHEAD_UNITS:
            normal, hollow = (cv2.blur(field, (FOREHEAD_BLUR, 1)) for field in (normal, hollow))
        names.append(name)
        normals.append(normal)
        hollows.append(hollow)
    for name, height in zip(maps["furrow_names"], maps["furrow_height"], strict=True):
        if name == "browDown":
            height = height + soft_furrows(len(height))
        normal, hollow = furrow_fields(height)
        names.append(f"{name} furrow")
        normals.append(normal)
        hollows.append(hollow)
    normal_change, normal_scale = packed(normals)
    hollow_change, hollow_scale = packed(hollows)
    save_file(
        {
            "normal": shrunk(maps["neutral_normal"]).astype(np.float16),
            "concavity": shrunk(maps["neutral_concavity"]).astype(np.float16),
            "skin": shrunk(maps["skin_mask"])[..., 0].astype(np.uint8),
            "normal_change": normal_change,
            "normal_scale": normal_scale,
            "concavity_change": hollow_change,
            "concavity_scale": hollow_scale,
        },
        arguments.output / "fold_maps.safetensors",
        metadata={
            "entries": ",".join(names),
            "source": "ICT-FaceKit (USC Institute for Creative Technologies), laid on the MediaPipe face mesh",
            "licence": "MIT",
        },
    )


if __name__ == "__main__":
    main()
