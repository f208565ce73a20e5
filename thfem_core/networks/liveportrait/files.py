"""Finding LivePortrait's files on this machine, in whichever conversion is there, or fetching them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import WeightsError
from ...progress import Progress, silent
from ...weights.store import find_file, locate
from .model import LIVEPORTRAIT, LIVEPORTRAIT_MIT


def locate_liveportrait(*, folders: Sequence[Path] = (), progress: Progress = silent) -> dict[str, Path]:
    """Paths of the published files by role, fetched from the hub where they are not here.

    Raises:
        WeightsError: A file is missing and cannot be fetched, is damaged, or is of the animal model.
    """
    model = LIVEPORTRAIT
    if all(find_file(LIVEPORTRAIT_MIT, file, folders=folders) for file in LIVEPORTRAIT_MIT.files):
        complete = all(find_file(LIVEPORTRAIT, file, folders=folders) for file in LIVEPORTRAIT.files)
        model = LIVEPORTRAIT if complete else LIVEPORTRAIT_MIT
    files = locate(model, folders=folders, progress=progress)
    for path in files.values():
        if any(part.lower() in ("animal", "animals", "animals_v1.1", "base_models_animals") for part in path.parts):
            raise WeightsError(
                f"{path} is LivePortrait's model of animals, which does not fit people; fetch the human one: "
                "python -m thfem_core models fetch liveportrait"
            )
    return files
