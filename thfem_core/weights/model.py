"""What a model file is: its origin, size, checksum and terms of use.

Back ends declare their models in ``back_end.py``; what is not known for certain is None, and the commands print
"unknown" for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

EMBEDDED_FOLDER = Path(__file__).parent  # of the model files that ship with the package
Origin = Literal["embedded", "hub", "web", "manual"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFile:
    """One file of a model.

    role: Key under which the store returns it.
    names: Published names it is accepted under.
    converted: Its name once our converter has written it, preferred where present.
    size: Exact bytes of the published file, if known.
    megabytes: Rough size, for tables.
    sha256: Hexadecimal digest of the published file, or as much of its beginning as is known.
    required: Whether the model cannot do without the file.
    """

    role: str
    names: tuple[str, ...] = ()
    converted: str | None = None
    size: int | None = None
    megabytes: float | None = None
    sha256: str | None = None
    required: bool = True

    @property
    def accepted(self) -> tuple[str, ...]:
        """All names, the preferred one first."""
        return (self.converted, *self.names) if self.converted else self.names


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """Files that belong together, and their terms.

    name: What users call it.
    purpose: What it does, in a few words.
    origin: ``embedded`` lies in the package; ``hub`` in a Hugging Face repository; ``web`` has its file at ``link``;
        ``manual`` has a page for people at ``link``, who place the file themselves.
    files: Its files.
    licence: Licence of the weights, or None where nobody says.
    commercial: Whether commercial use is allowed; None is unclear.
    link: Address of the file or page.
    repo: Hugging Face repository of the origin ``hub``.
    revision: Commit of that repository; None where none is known to be right, then size and checksum guard the file.
    note: What else a user should know.
    """

    name: str
    purpose: str
    origin: Origin
    files: tuple[ModelFile, ...]
    licence: str | None
    commercial: bool | None
    link: str
    repo: str | None = None
    revision: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if (self.origin == "hub") != (self.repo is not None):
            raise ValueError(
                f"model {self.name!r}: origin {self.origin!r} and repo {self.repo!r} contradict each other"
            )
        if self.origin == "web" and len(self.files) != 1:
            raise ValueError(f"model {self.name!r}: a web model has one file, its link; this has {len(self.files)}")

    @property
    def terms(self) -> str:
        """Licence and commercial use in a few words."""
        use = {True: "commercial use allowed", False: "not for commercial use", None: "commercial use unclear"}
        return f"licence {self.licence or 'unknown'}, {use[self.commercial]}"

    def file(self, role: str) -> ModelFile:
        return next(file for file in self.files if file.role == role)


def embedded(
    name: str, purpose: str, size: int, sha256: str, *, licence: str, commercial: bool, link: str, note: str = ""
) -> Model:
    """Describe a model that is one file of ``thfem_core/weights``.

    Args:
        name: File name without its ending; the model is called by it, with hyphens.
        purpose: What it does, in a few words.
        size: Bytes.
        sha256: Hexadecimal digest.
        licence: Licence of the weights.
        commercial: Whether commercial use is allowed.
        link: Where it comes from.
        note: What else a user should know.

    Returns:
        The model.
    """
    file = ModelFile(role="weights", names=(f"{name}.safetensors",), size=size, sha256=sha256)
    return Model(
        name=name.replace("_", "-"),
        purpose=purpose,
        origin="embedded",
        files=(file,),
        licence=licence,
        commercial=commercial,
        link=link,
        note=note,
    )
