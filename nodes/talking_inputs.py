"""The inputs that describe a talking head and its windows, shared by the nodes that draw lips."""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

from comfy_api.latest import io

from ..thfem_core.expression.request import EMOTIONS
from ..thfem_core.talking_head.head import Drive, talking_heads
from ..thfem_core.talking_head.windows import MAX_SIZE, WindowConfig
from .back_end_choice import BackEndChoice
from .host import advanced

NONE, UNKNOWN = "none", "unknown"
SOURCES = ("previous", "first")


def talking_head_choice(
    *, none: bool = False, default: str = "", without: Collection[str] = ("emotion",)
) -> BackEndChoice:
    """Who draws the lips; ``none`` offers to leave them as the editor does.

    default: Chosen in prompts that lack the input; empty where they have to have it.
    without: Options that the node asks for elsewhere.
    """
    return BackEndChoice(
        "talking_head",
        talking_heads,
        purpose="What draws the lips after the edit",
        none="lips as the edit leaves them." if none else "",
        default=default,
        common_only=True,
        without=without,
    )


def shown_emotion_input() -> io.Input:
    return io.Combo.Input(
        "emotion",
        options=[UNKNOWN, *EMOTIONS],
        default=UNKNOWN,
        optional=True,
        tooltip="What the edited face shows, for talking heads that draw by it, such as EAT; mouth does not need it.",
    )


def drive_input() -> io.Input:
    return io.Combo.Input(
        "drive",
        options=list(get_args(Drive)),
        default="blend",
        tooltip="What moves the lips. audio: the sound alone, for other words than those of the clip. original: the "
        "lips of the clip before the edit. blend: those, and the sound where they are hidden.",
    )


def window_inputs() -> list[io.Input]:
    """The adjacent-frame windows."""
    config = WindowConfig()
    return advanced(
        io.Int.Input(
            "window",
            default=config.size,
            min=1,
            max=MAX_SIZE,
            tooltip="How many frames are drawn from one source frame (n of the paper, which takes 5).",
        ),
        io.Combo.Input(
            "window_source",
            options=list(SOURCES),
            default=config.source,
            tooltip="The source of a window. previous: the frame before it (the paper). first: its own first frame.",
        ),
        io.Int.Input(
            "overlap",
            default=config.overlap,
            min=0,
            max=MAX_SIZE - 1,
            tooltip="Frames that neighbouring windows both draw, cross-faded; must be less than the window.",
        ),
    )
