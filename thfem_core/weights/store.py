"""Where model files lie on this machine: local folders first, then the network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import WeightsError
from ..progress import Progress, silent
from .checksum import fault_of
from .download import download_file
from .model import EMBEDDED_FOLDER, Model, ModelFile

FOLDERS_VARIABLE = "THFEM_MODELS"


def model_folders(folders: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Where models are looked for, in order: the given folders, those of the environment variable THFEM_MODELS
    (separated as in PATH), and ``thfem`` in the user's cache. The first one takes downloads."""
    named = [Path(name) for name in os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if name]
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "thfem"
    except RuntimeError:  # an unknown user without HOME
        cache = Path("thfem-models")
    return tuple(dict.fromkeys([*map(Path, folders), *named, cache]))


def find_file(model: Model, file: ModelFile, *, folders: Sequence[Path] = ()) -> Path | None:
    """Where a file lies on this machine, or None. Looks into FOLDER/MODEL/ and FOLDER/, then into the caches of the
    Hugging Face hub and of torch.hub. Nothing is downloaded or checked."""
    if model.origin == "embedded":
        path = EMBEDDED_FOLDER / file.names[0]
        return path if path.is_file() else None
    for name in file.accepted:
        for folder in model_folders(folders):
            for path in (folder / model.name / name, folder / name):
                if path.is_file():
                    return path
    return _cached(model, file)


def _cached(model: Model, file: ModelFile) -> Path | None:
    """The file as another program downloaded it."""
    if model.repo is not None:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(model.repo, file.names[0], revision=model.revision)
        return Path(found) if isinstance(found, str) else None
    if model.origin == "web":
        path = _torch_hub_folder() / "checkpoints" / file.names[0]
        return path if path.is_file() else None
    return None


def _torch_hub_folder() -> Path:
    """Where torch.hub keeps downloads by its documentation; asking it would load PyTorch, which takes seconds."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(os.environ.get("TORCH_HOME") or os.path.join(cache, "torch"))) / "hub"


def check_file(model: Model, file: ModelFile, path: Path) -> None:
    """Check that a file is the published one.

    Args:
        model: The model.
        file: Which of its files.
        path: Where that lies; files under other names than the first published one are not checked.

    Raises:
        WeightsError: Its size or sha256, as far as they are known, differ.
    """
    if path.name not in file.names[:1]:
        return
    if fault := fault_of(path, size=file.size, sha256=file.sha256):
        again = "install the package again" if model.origin == "embedded" else "delete it and get it again"
        raise WeightsError(f"{model.name}: {path} is damaged or another file: it {fault}; {again}")


def missing_file(model: Model, file: ModelFile, *, folders: Sequence[Path] = (), reason: str = "") -> WeightsError:
    """One line: what is missing, why, where to get it, under which licence, and where to put it."""
    names = " or ".join(file.accepted)
    if model.origin == "embedded":
        return WeightsError(f"{model.name}: {names} is missing in {EMBEDDED_FOLDER}; install the package again")
    note = f" ({model.note})" if model.note else ""
    fetch = f"run `python -m thfem_core models fetch {model.name}`, or " if model.origin in ("hub", "web") else ""
    return WeightsError(
        f"{model.name}: {names} is not on this machine{reason and f': {reason}'}; {fetch}get it from {model.link} "
        f"({model.terms}) and put it into {model_folders(folders)[0]}{note}"
    )


def locate(
    model: Model, *, folders: Sequence[Path] = (), download: bool = True, progress: Progress = silent
) -> dict[str, Path]:
    """Find a model's files on this machine, or download them.

    Args:
        model: The model.
        folders: Looked into before all others; the first one takes downloads (see :func:`model_folders`).
        download: Whether what is missing may be downloaded.
        progress: Hears ``Downloading NAME``, in bytes.

    Returns:
        Path by role, checked by size and sha256 as far as the model knows them. Optional files that are not there have
        no key.

    Raises:
        WeightsError: A required file is neither here nor to be had (the message names file, folder, address and
            licence), or it is damaged.
    """
    found: dict[str, Path] = {}
    for file in model.files:
        path = find_file(model, file, folders=folders)
        if path is None and file.required:
            path = _fetched(model, file, folders=folders, download=download, progress=progress)
        elif path is not None:
            check_file(model, file, path)
        if path is not None:
            found[file.role] = path
    return found


def locate_file(
    model: Model, *, folders: Sequence[Path] = (), download: bool = True, progress: Progress = silent
) -> Path:
    """Find the first file of a model, which is its only one as a rule; see :func:`locate`."""
    return locate(model, folders=folders, download=download, progress=progress)[model.files[0].role]


def _fetched(model: Model, file: ModelFile, *, folders: Sequence[Path], download: bool, progress: Progress) -> Path:
    """Download a file into the first folder. Raises WeightsError."""
    if model.origin not in ("hub", "web") or not download:
        raise missing_file(model, file, folders=folders)
    target = model_folders(folders)[0] / model.name / file.names[0]
    try:
        download_file(model, file, target, progress=progress)
    except WeightsError as error:
        raise missing_file(model, file, folders=folders, reason=str(error)) from error
    return target
