"""Choosing a back end in a node: hosts from 0.8 on show the options of the chosen one, and of no other.

Other hosts offer the names; options are then those of the back end's own node. Prompts and saved graphs of either kind
of host run in the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from comfy_api.latest import io

from ..thfem_core.errors import InputError
from ..thfem_core.registry import Registry
from .back_end_inputs import back_end_input, chosen_options, option_input
from .host import advanced


@dataclass(frozen=True)
class BackEndChoice:
    """The widget that chooses a back end, and the one that was chosen.

    name: Of the input.
    registry: The kind of back end.
    purpose: What the chosen one does, for the tooltip.
    none: What it means to choose ``none``; empty where one must be chosen.
    default: Chosen in prompts that lack the input; empty where they have to have it.
    common_only: Whether to leave options that few users need to the back end's own node, and to fold the others away.
    without: Options that the node asks for elsewhere.
    """

    name: str
    registry: Registry[Any]
    purpose: str
    none: str = ""
    default: str = ""
    common_only: bool = False
    without: Collection[str] = ()

    def input(self) -> io.Input:
        """The input of a node's schema."""
        plain = back_end_input(
            self.name, self.registry, purpose=self.purpose, none=self.none, optional=bool(self.default)
        )
        if not hasattr(io, "DynamicCombo"):
            return plain
        names = [*self.registry, *["none"] * bool(self.none)]
        return io.DynamicCombo.Input(
            self.name,
            options=[io.DynamicCombo.Option(each, self._options(each)) for each in names],
            optional=plain.optional,
            tooltip=plain.tooltip,
        )

    def _options(self, name: str) -> list[io.Input]:
        if name not in self.registry:
            return []
        shown = [
            each
            for each in self.registry.options(name)
            if each.kind != "clip" and each.name not in self.without and not (each.advanced and self.common_only)
        ]
        inputs = [option_input(each, f"{name}: {each.help}") for each in shown]
        return advanced(*inputs) if self.common_only else inputs

    def chosen(self, node: type[io.ComfyNode], inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Read what was chosen.

        Args:
            node: The node that is executed.
            inputs: Values of its inputs by name.

        Returns:
            Name of the back end, or ``none``, and those of its options that differ from their defaults.

        Raises:
            InputError: The name or an option is unknown, or a value cannot be read.
        """
        value = inputs.get(self.name)
        options = value if isinstance(value, Mapping) else {}
        name = options.get(self.name) or value or self._asked(node)
        if self.none and name == "none":
            return name, {}
        if name not in self.registry:
            names = [*self.registry, *["none"] * bool(self.none)]
            raise InputError(f"{self.name} is {name!r}; choose one of: {', '.join(names)}")
        defaults = {each.name: each.default for each in self.registry.options(name)}
        given = chosen_options(self.registry, name, options)
        return name, {key: each for key, each in given.items() if each != defaults[key]}

    def _asked(self, node: type[io.ComfyNode]) -> str:
        """What the prompt says: hosts with dynamic inputs pass over names that they do not know."""
        prompt = getattr(node.hidden, "prompt", None) or {}
        asked = prompt.get(str(getattr(node.hidden, "unique_id", None)), {}).get("inputs", {})
        return str(asked.get(self.name, self.default))
