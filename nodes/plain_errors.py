"""A user's faults as the host shows them: the sentence, without the module path of our exception classes before it."""

from __future__ import annotations

import functools
from typing import Any

from comfy_api.latest import io

from ..thfem_core.errors import ThfemError


def with_plain_errors(node: type[io.ComfyNode]) -> type[io.ComfyNode]:
    """A node that does the same, and whose faults of users the host prints as ``InputError: sentence``.

    Args:
        node: A node class.

    Returns:
        A subclass of the same name, for the host's list of nodes.
    """

    class Node(node):
        @classmethod
        @functools.wraps(node.execute.__func__)
        def execute(cls, *args: Any, **inputs: Any) -> io.NodeOutput:
            try:
                return super().execute(*args, **inputs)
            except ThfemError as error:
                raise plain(error) from error

    Node.__name__, Node.__qualname__, Node.__module__ = node.__name__, node.__qualname__, node.__module__
    return Node


def plain(error: ThfemError) -> ThfemError:
    """The same error of a class that says to be built in, as the host leaves out only that module's name."""
    kind = type(error)
    return type(kind.__name__, (kind,), {"__module__": "builtins"})(str(error))
