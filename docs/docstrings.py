"""An extension of griffe: docstrings as this project writes them become what mkdocstrings lays out.

Fields of a class stand as ``name: text`` lines; they become an ``Attributes:`` section. Sphinx roles become code.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`[~.]*([^`]+)`")
_FIELD = re.compile(r"^([a-z_]\w*): ")


class ProjectDocstrings(griffe.Extension):
    """Rewrites docstrings before they are parsed."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is None:
            return
        text = _ROLE.sub(r"`\1`", obj.docstring.value)
        obj.docstring.value = with_attributes(text) if obj.is_class else text


def with_attributes(text: str) -> str:
    """Move the lines from the first ``name: text`` to the next empty line into an ``Attributes:`` section."""
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if _FIELD.match(line)), None)
    if first is None:
        return text
    stop = next((i for i in range(first, len(lines)) if not lines[i].strip()), len(lines))
    fields = ["Attributes:", *("    " + line for line in lines[first:stop])]
    return "\n".join([*lines[:first], *lines[stop:], "", *fields])
