"""One node per back end with options, made from what it declares, so that the common nodes stay small."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..thfem_core.expression.editor import editors
from ..thfem_core.options import options_of
from ..thfem_core.registry import BackEnd, Registry
from ..thfem_core.talking_head.head import talking_heads
from .back_end_inputs import chosen_options, option_inputs
from .checks import validator
from .editors_in_host import described_editor, is_large, load_editor_in_host, tested
from .host import CATEGORY, schema
from .payloads import ChosenEditor, EditorSocket
from .talking_head_loader import described, device_input, load_in_host, loaded_outputs


def _described(back_end: BackEnd) -> str:
    """What a back end is and which files it needs, for people."""
    brought = [model.name for model in back_end.models if model.origin != "embedded"]
    files = f"Needs files in models/thfem: {', '.join(brought)}." if brought else "Needs no download."
    return f"{back_end.summary} {files}"


def _schema(registry: Registry[Any], name: str, *, prefix: str, title: str, **fields: Any) -> io.Schema:
    return schema(
        node_id=f"THFEM_{prefix}_{name.replace('-', '_')}",
        display_name=f"{title}: {name} (THFEM)",
        description=_described(registry.back_end(name)),
        search_aliases=[registry.kind, name],
        **fields,
    )


def self_test_input() -> io.Input:
    """Whether a loaded editor tries itself."""
    return io.Boolean.Input(
        "self_test",
        default=False,
        tooltip="Draw faces of the demo clip unchanged, and say in about how like them the result is and how long it "
        "takes.",
    )


def editor_node(name: str) -> type[io.ComfyNode]:
    """Make the node of an expression editor: its options in, its choice out.

    Args:
        name: The editor.

    Returns:
        A node class whose id follows from the name.
    """

    inputs = list(option_inputs(editors, only=name).values())
    outputs: list[io.Output] = [
        EditorSocket.Output(display_name="editor", tooltip="For Edit Tracked Faces: this editor, with these options.")
    ]
    if is_large(name):
        inputs = [device_input(), self_test_input(), *inputs]
        outputs.append(
            io.String.Output(display_name="about", tooltip="Its device, size and licence, and what the self-test says.")
        )

    class EditorNode(io.ComfyNode):
        @classmethod
        def define_schema(cls) -> io.Schema:
            return _schema(
                editors,
                name,
                prefix="Editor",
                title="Editor",
                category=f"{CATEGORY}/expression/editors",
                inputs=inputs,
                outputs=outputs,
            )

        validate_inputs = validator(editors, name, [each.id for each in inputs])

        @classmethod
        def execute(cls, device: str = "auto", self_test: bool = False, **inputs: Any) -> io.NodeOutput:
            options = chosen_options(editors, name, inputs)
            if not is_large(name):
                return io.NodeOutput(ChosenEditor(name=name, options=options))
            loaded = load_editor_in_host(name, options, device=device)
            about = described_editor(loaded) + (f"\n{tested(loaded)}" if self_test else "")
            return io.NodeOutput(ChosenEditor(name=name, options=options, loaded=loaded), about)

    EditorNode.__name__ = EditorNode.__qualname__ = f"Editor_{name.replace('-', '_')}"
    return EditorNode


def talking_head_node(name: str) -> type[io.ComfyNode]:
    """Make the node of a talking head: its options in, the loaded head out.

    Args:
        name: The talking head.

    Returns:
        A node class whose id follows from the name.
    """

    inputs = [device_input(), *option_inputs(talking_heads, only=name).values()]

    class TalkingHeadNode(io.ComfyNode):
        @classmethod
        def define_schema(cls) -> io.Schema:
            return _schema(
                talking_heads,
                name,
                prefix="TalkingHead",
                title="Talking Head",
                category=f"{CATEGORY}/talking head/models",
                inputs=inputs,
                outputs=loaded_outputs(),
            )

        validate_inputs = validator(talking_heads, name, [each.id for each in inputs])

        @classmethod
        def execute(cls, device: str, **inputs: Any) -> io.NodeOutput:
            loaded = load_in_host(name, chosen_options(talking_heads, name, inputs), device=device)
            return io.NodeOutput(loaded, described(loaded))

    TalkingHeadNode.__name__ = TalkingHeadNode.__qualname__ = f"TalkingHead_{name.replace('-', '_')}"
    return TalkingHeadNode


def _has_widgets(registry: Registry[Any], name: str) -> bool:
    return any(option.kind != "clip" for option in options_of(registry.back_end(name).options))


def back_end_nodes() -> list[type[io.ComfyNode]]:
    """The nodes of all expression editors and talking heads with options that a widget can ask for."""
    return [
        *(editor_node(name) for name in editors if _has_widgets(editors, name)),
        *(talking_head_node(name) for name in talking_heads if _has_widgets(talking_heads, name)),
    ]
