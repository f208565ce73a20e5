"""Cut upright face pictures out of a collection of clips: the raw material of the occlusion network.

    python -m training.build_face_pictures DATA OUT

DATA holds ``index.csv`` (columns file, identity, split) and ``crops/``. OUT receives ``train.npz``, ``val.npz`` and
``test.npz``; a person listed in two splits counts as the strictest, as in training.data.prepare. About ten minutes on
one CPU core.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from thfem_core.errors import ThfemError
from thfem_core.face.crop import crop_frame
from thfem_core.face.models import default_face_models
from thfem_core.face.occlusion.crop import occlusion_crop

from .clip_faces import faces_of_clip
from .data.prepare import STRICTEST, read_index

MARGIN = 1.5  # of the stored picture over what the network sees, room for shifts and turns
PIXELS = 192  # side of the stored picture
CLIPS = 8  # of a person, evenly spread over their list
FRAMES = 4  # of a clip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    try:
        rows = read_index(arguments.data, list(STRICTEST))
    except ThfemError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    arguments.output.mkdir(parents=True, exist_ok=True)
    files, split = defaultdict(list), dict[str, str]()
    for row in rows:
        files[row["identity"]].append(row["file"])
        split[row["identity"]] = row["split"]
    models = default_face_models(torch.device("cpu"))
    stored: dict[str, dict[str, list[np.ndarray | str]]] = {name: defaultdict(list) for name in STRICTEST}
    for person, names in tqdm(files.items(), mininterval=10):
        for name in [names[i] for i in np.unique(np.linspace(0, len(names) - 1, CLIPS).astype(int))]:
            for frame, landmarks in faces_of_clip(arguments.data / "crops" / name, models, FRAMES):
                crop = occlusion_crop(landmarks, margin=MARGIN)
                part = stored[split[person]]
                part["pictures"].append(crop_frame(frame, crop, PIXELS))
                part["outlines"].append(crop.to_crop(landmarks[:, :2], PIXELS).astype(np.float16))
                part["people"].append(person)
                part["files"].append(name)
    for name, part in stored.items():
        arrays = {key: np.array(values) for key, values in part.items()}
        np.savez(arguments.output / f"{name}.npz", **arrays)  # type: ignore[arg-type]  # numpy's stub forgets names
        print(f"{name}: {len(part['people'])} pictures of {len(set(part['people']))} people")
    return 0


if __name__ == "__main__":
    sys.exit(main())
