"""What a judge's folder declares of itself, and the registry of all judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...registry import BackEnd, Registry
from ..measure import Measure

if TYPE_CHECKING:
    from .protocol import Judge

JudgeKind = Literal["identity", "expression", "sync", "pictures"]


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeSpec(BackEnd):
    """A judge as its ``back_end.py`` declares it; see :class:`thfem_core.registry.BackEnd` for the other fields.

    title: Its name in tables, such as ``ArcFace r50``.
    kind: What it judges, and so which protocol of :mod:`.protocol` its factory returns.
    official: Whether it is a network of the papers, whose numbers compare with published ones. Stand-ins compare only
        with each other, so the two never share a table.
    measures: The measures that it takes, in the order of tables, with the ranges that hold for this network.
    packages: Python packages it needs besides those of requirements.txt.
    """

    title: str
    kind: JudgeKind
    official: bool
    measures: tuple[Measure, ...]
    packages: tuple[str, ...] = ()

    def is_at_hand(self, folders: Sequence[Path] = ()) -> bool:
        """Whether it would load without any download.

        Args:
            folders: Folders searched for model files before the usual ones.

        Returns:
            True if all its packages are installed and all its model files are on this machine.
        """
        from ...weights.store import find_file

        files = [(model, file) for model in self.models for file in model.files if file.required]
        return all(find_spec(package) is not None for package in self.packages) and all(
            find_file(model, file, folders=folders) is not None for model, file in files
        )


judges: Registry[Judge] = Registry("judge", package=__package__ or "thfem_core.metrics.judges")
judges.register("arcface", ".arcface")
judges.register("efficientface", ".efficientface")
judges.register("mobilefacenet", ".mobilefacenet")
judges.register("dlib", ".dlib")
judges.register("face-api", ".face_api")
judges.register("mini-xception", ".mini_xception")
judges.register("syncnet", ".syncnet")
judges.register("thfem-sync", ".thfem_sync")
judges.register("lpips", ".lpips")


def judge_spec(name: str) -> JudgeSpec:
    """Read what a judge declares; its network is not imported.

    Args:
        name: A name of the registry ``judges``.

    Returns:
        Its specification.

    Raises:
        InputError: There is no such judge.
        TypeError: Its folder declares a plain BackEnd.
    """
    spec = judges.back_end(name)
    if not isinstance(spec, JudgeSpec):
        raise TypeError(f"judge {name!r} declares a {type(spec).__name__}; its back_end.py needs a JudgeSpec")
    return spec
