"""The inputs that describe an expression, shared by the editing nodes, and the request made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from comfy_api.latest import Input, io

from ..thfem_core.errors import InputError
from ..thfem_core.expression.request import (
    EMOTIONS,
    MAX_STRENGTH,
    Emotion,
    ExpressionRequest,
    ReferenceClip,
    RegionStrengths,
    StrengthCurve,
)
from ..thfem_core.expression.sliders import ExpressionSliders
from ..thfem_core.face.tracking.track import FaceChoice
from ..thfem_core.face.tracking.tracker_config import TrackerConfig
from .host import advanced
from .payloads import ExpressionSocket, SlidersSocket
from .video_sockets import clip_from_socket

FACES = ("largest", "all", *map(str, range(TrackerConfig().max_faces)))
_DRAWN = "strength_over_clip"
_SAMPLES = 33  # of a drawn curve
SEEN = "From Expression Preview: what you saw there, instead of all that this node asks about expressions."
REGIONS = {"brows": "eyebrows", "eyes": "eyes", "cheeks": "cheeks and nose", "mouth": "mouth and chin"}


def emotion_inputs() -> list[io.Input]:
    """Which expression, and how much of it."""
    return [
        io.Combo.Input(
            "emotion",
            options=list(EMOTIONS),
            default="happy",
            tooltip="The expression to give. Ignored while a reference is connected.",
        ),
        io.Float.Input(
            "strength",
            default=1.0,
            min=0.0,
            max=MAX_STRENGTH,
            step=0.05,
            tooltip="0 leaves the face as it is, 1 is a clear natural expression, 1.5 the most.",
        ),
    ]


def face_input() -> io.Input:
    """Whom to edit."""
    return io.Combo.Input(
        "face",
        options=list(FACES),
        default=FACES[0],
        tooltip="Whom to edit: largest, all, or a number from the preview of Track Faces (0, 1, …).",
    )


def region_inputs() -> list[io.Input]:
    """Factors on the strength, per part of the face."""
    return [
        io.Float.Input(
            region,
            default=1.0,
            min=0.0,
            max=MAX_STRENGTH,
            step=0.05,
            tooltip=f"Factor on the strength for the {words}; 0 leaves them alone.",
        )
        for region, words in REGIONS.items()
    ]


def curve_input() -> io.Input:
    """Strength over time."""
    return io.String.Input(
        "curve",
        default="0:1",
        tooltip="Strength over time as seconds:factor pairs, linear in between. "
        "0:1 is the same throughout; 0:0, 1.5:1 fades in within 1.5 seconds.",
    )


def drawn_curve_inputs() -> list[io.Input]:
    """Strength over the clip as a drawn curve, where the host has a widget for it."""
    if not hasattr(io, "Curve"):
        return []
    curve = io.Curve.Input(
        _DRAWN,
        optional=True,
        default=[(0.0, 1.0), (1.0, 1.0)],
        tooltip="Strength over the whole clip, drawn, from its beginning to its end; counts in place of curve unless "
        "it is 1 throughout.",
    )
    return advanced(curve)


def drawn_curve(inputs: Mapping[str, Any], seconds: float) -> StrengthCurve | None:
    """Read the curve of :func:`drawn_curve_inputs`.

    Args:
        inputs: Values of a node's inputs by name.
        seconds: How long the clip is.

    Returns:
        The curve; None where none was drawn.
    """
    drawn = inputs.get(_DRAWN)
    if drawn is None or seconds <= 0:
        return None
    from comfy_api.input import CurveInput

    factors = CurveInput.from_raw(drawn).to_lut(_SAMPLES).clip(0.0, MAX_STRENGTH)
    return None if (abs(factors - 1.0) < 1e-3).all() else StrengthCurve.over(seconds, factors.tolist())


def reference_input() -> io.Input:
    """A clip or picture to copy from."""
    return io.MultiType.Input(
        "reference",
        [io.Video, io.Image],
        optional=True,
        tooltip="A clip or picture whose expression is copied instead of the emotion (its largest face).",
    )


def sliders_input() -> io.Input:
    """Parts of an expression in numbers."""
    return SlidersSocket.Input(
        "sliders",
        optional=True,
        tooltip="From Expression Sliders: shown instead of the emotion, or on top of a reference.",
    )


def expression_input(tooltip: str = SEEN) -> io.Input:
    """A finished expression."""
    return ExpressionSocket.Input("expression", optional=True, tooltip=tooltip)


def face_choice(text: str) -> FaceChoice:
    """Read whom to edit.

    Args:
        text: ``largest``, ``all`` or a number from 0.

    Returns:
        The choice.

    Raises:
        InputError: It is none of these.
    """
    word = text.strip().lower()
    if word == "largest":
        return "largest"
    if word == "all":
        return "all"
    if word.isdecimal():
        return int(word)
    raise InputError(f"face is {text!r}; write largest, all or a number from the preview of Track Faces (0, 1, …)")


def expression_request(
    *,
    emotion: str,
    strength: float,
    reference: Input.Video | torch.Tensor | None = None,
    sliders: ExpressionSliders | None = None,
    regions: Mapping[str, float] | None = None,
    curve: str | StrengthCurve = "",
    expression: ExpressionRequest | None = None,
) -> ExpressionRequest:
    """What an editing node asks for.

    Args:
        emotion: The expression to give; not used where there is a reference or there are sliders.
        strength: How much of it.
        reference: VIDEO or IMAGE whose expression is copied.
        sliders: Parts of an expression, instead of the emotion or on top of the reference.
        regions: Factor per region of the face; None for 1 everywhere.
        curve: Strength over time, or its text, see :class:`StrengthCurve`; empty for the same throughout.
        expression: A finished request, in place of all others.

    Returns:
        The request; nobody has looked for the reference's face yet.

    Raises:
        InputError: A value is out of range.
    """
    if expression is not None:
        return expression
    return ExpressionRequest(
        emotion=cast(Emotion, emotion) if reference is None and sliders is None else None,
        sliders=sliders,
        reference=None if reference is None else ReferenceClip(video=clip_from_socket(reference)),
        strength=strength,
        regions=RegionStrengths(**(regions or {})),
        curve=strength_curve(curve),
    )


def strength_curve(curve: str | StrengthCurve) -> StrengthCurve:
    """Read strength over time; an empty text is the same throughout."""
    if isinstance(curve, StrengthCurve):
        return curve
    return StrengthCurve.parse(curve) if curve.strip() else StrengthCurve()
