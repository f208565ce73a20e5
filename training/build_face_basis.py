"""Pack the mesh editor's action-unit basis and texture ratios into the safetensors files that ship with the pack.

    python -m training.build_face_basis face_basis.npz expression_ratio.npz thfem_core/weights

Inputs (made once from public models, see thfem_core/weights/MODEL_CARD.md):

- ``face_basis.npz``: ``canonical`` (478, 3) in units of 1 % of the outer-eye distance, y down, z negative towards
  the camera; ``shapes`` (34, 478, 3) displacements of ARKit-like action units named in ``shape_names``, from
  ICT-FaceKit (MIT) resampled to the 468-point mesh and symmetrised; ``identity_modes`` (40, 478, 3);
  ``triangles`` (n, 3), with duplicates.
- ``expression_ratio.npz``: ``log_ratio`` (6, 256, 256), per emotion the mean log brightness ratio to the same
  person's neutral face in a cylindrical texture map (from MEAD, research use).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import save_file

RATIO_SIZE = 128
IDENTITY_MODES = 24
# Two triangles of the published topology close the nostrils over existing faces; an edge may border two at most.
NOSTRIL_CAPS = {(49, 64, 129), (279, 294, 358)}


def unique_triangles(triangles: np.ndarray) -> np.ndarray:
    """Each face of the published topology once."""
    faces = {tuple(sorted(map(int, face))) for face in triangles} - NOSTRIL_CAPS
    return np.array(sorted(faces), dtype=np.int16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("basis", type=Path)
    parser.add_argument("ratio", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()

    basis = np.load(arguments.basis)
    save_file(
        {
            "canonical": basis["canonical"].astype(np.float32),
            "triangles": unique_triangles(basis["triangles"]),
            "action_units": basis["shapes"].astype(np.float16),
            "identity_modes": basis["identity_modes"][:IDENTITY_MODES].astype(np.float16),
        },
        arguments.output / "face_basis.safetensors",
        metadata={
            "action_units": ",".join(map(str, basis["shape_names"])),
            "unit": "1 % of the outer-eye distance; x right, y down, z negative towards the camera",
            "source": "ICT-FaceKit (USC Institute for Creative Technologies), resampled to the MediaPipe face mesh",
            "licence": "MIT",
        },
    )

    ratio = np.load(arguments.ratio)
    small = [
        cv2.resize(r.astype(np.float32), (RATIO_SIZE, RATIO_SIZE), interpolation=cv2.INTER_AREA)
        for r in ratio["log_ratio"]
    ]
    save_file(
        {"log_ratio": np.stack(small).astype(np.float16)},
        arguments.output / "expression_ratio.safetensors",
        metadata={
            "emotions": ",".join(map(str, ratio["emotions"])),
            "source": "mean log brightness ratio of emotional to neutral faces of the MEAD data set",
            "licence": "CC BY-NC 4.0 (MEAD is for research use)",
        },
    )


if __name__ == "__main__":
    main()
