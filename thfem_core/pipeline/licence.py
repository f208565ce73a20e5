"""Editing with parts that may be used commercially."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from ..errors import InputError
from ..expression.editor import editors
from ..registry import BackEnd
from ..talking_head.head import talking_heads

if TYPE_CHECKING:
    from .config import EditConfig

# any: the best there is. commercial: only files whose licence allows commercial use.
Licence = Literal["any", "commercial"]
LICENCES: tuple[Licence, ...] = ("any", "commercial")


def research_models(back_end: BackEnd) -> list[str]:
    """Names of the models of a back end that may not be used commercially, as far as is known."""
    return [model.name for model in back_end.models if model.commercial is not True]


def permissive(config: EditConfig) -> tuple[EditConfig, tuple[str, ...]]:
    """Leave out of an edit what is for research only, if the config asks for that.

    Args:
        config: What to do. Back ends that are loaded already are the caller's own choice.

    Returns:
        What can be done with permissive parts, and one line on each part that was left out.

    Raises:
        InputError: What is asked for cannot be done without parts for research only.
    """
    if config.licence == "any":
        return config, ()
    changes: dict[str, Any] = {}
    left: list[str] = []
    if isinstance(config.editor, str) and config.request is not None:
        back_end = editors.back_end(config.editor)
        models = research_models(back_end)
        if models and not back_end.permissive:
            raise _needs_research(f"the editor {config.editor}", models)
        defaults = {option.name: option.default for option in editors.options(config.editor)}
        for name, allowed in back_end.permissive.items():
            value = config.editor_options.get(name, defaults[name])
            if value not in allowed:
                choice = " or ".join(allowed)
                raise InputError(f"{name} {value} reads a file for research only; give {choice}, or licence any")
    head = config.talking_head
    if isinstance(head, str) and (models := research_models(talking_heads.back_end(head))):
        if config.request is None:
            raise _needs_research(f"the talking head {head}", models)
        changes |= {"talking_head": None, "talking_head_options": {}}
        left.append(
            f"licence commercial: the talking head {head} is left out, its files are for research only; "
            "the lips stay as the edit leaves them"
        )
    if config.occlusion == "auto":
        changes["occlusion"] = "off"
        left.append(
            "licence commercial: nobody looks for what is in front of the face, the network is for research only; "
            "a mask of your own is possible"
        )
    return replace(config, **changes), tuple(left)


def _needs_research(what: str, models: list[str]) -> InputError:
    return InputError(
        f"{what} needs {', '.join(models)}, not for commercial use as far as is known; choose another, or licence any"
    )
