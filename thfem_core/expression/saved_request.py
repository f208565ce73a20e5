"""Expression requests as presets: by name, and in files that users save."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import InputError
from .preset_file import read_preset, shipped_presets, write_preset
from .request import EMOTIONS, MAX_STRENGTH, REGIONS, ExpressionRequest, RegionStrengths, StrengthCurve
from .sliders import ExpressionSliders, make_sliders


@cache
def expression_presets() -> tuple[str, ...]:
    """The expressions that come with the package, without the sliders that stand for the seven emotions."""
    return tuple(name for name in shipped_presets() if name not in EMOTIONS)


def load_expression(name: str | Path) -> ExpressionRequest:
    """Load an expression.

    Args:
        name: One of :func:`expression_presets`, or a ``.json`` file.

    Returns:
        The request.

    Raises:
        InputError: There is no such preset or file, it is not one, or a value in it is not allowed.
    """
    parts = read_preset(name)
    if "emotion" not in parts and "sliders" not in parts:
        raise InputError(f"the preset {name} names neither an emotion nor sliders, so it shows nothing; add one")
    try:
        return _request(parts)
    except InputError as error:
        raise InputError(f"the preset {name}: {error}") from None


def _request(parts: dict[str, Any]) -> ExpressionRequest:
    """The request that a preset's parts say. Raises InputError for a value that is not allowed."""
    sliders, regions = parts.get("sliders"), parts.get("regions", {})
    for region in regions:
        if region not in REGIONS:
            raise InputError(f"there is no region {region!r}; choose one of: {', '.join(REGIONS)}")
    return ExpressionRequest(
        emotion=parts.get("emotion"),
        sliders=None if sliders is None else make_sliders(sliders),
        strength=float(parts.get("strength", 1.0)),
        regions=RegionStrengths(**regions),
        curve=StrengthCurve.parse(parts["curve"]) if "curve" in parts else StrengthCurve(),
    )


def expression_parts(request: ExpressionRequest) -> dict[str, Any]:
    """What a preset says of a request; parts that are as usual are left out.

    Args:
        request: The request.

    Returns:
        Parts in the form of :func:`.preset_file.read_preset`.

    Raises:
        InputError: The request copies a reference, which no preset can hold.
    """
    if request.reference is not None:
        raise InputError("an expression that copies a reference cannot be saved as a preset; choose an emotion instead")
    regions = {name: value for name, value in asdict(request.regions).items() if value != 1}
    return {
        **({"emotion": request.emotion} if request.emotion is not None else {}),
        **({"strength": request.strength} if request.strength != 1 else {}),
        **({"regions": regions} if regions else {}),
        **({"curve": request.curve.text} if request.curve != StrengthCurve() else {}),
        **({"sliders": request.sliders.values} if request.sliders is not None else {}),
    }


def save_expression(request: ExpressionRequest, path: Path) -> None:
    """Write a request as a preset.

    Raises:
        InputError: It copies a reference, or the file cannot be written.
    """
    write_preset(expression_parts(request), path)


def adjusted(
    request: ExpressionRequest,
    *,
    strength: float = 1.0,
    regions: RegionStrengths | None = None,
    curve: StrengthCurve | None = None,
    sliders: ExpressionSliders | None = None,
) -> ExpressionRequest:
    """Change an expression that somebody has chosen by name.

    Args:
        request: The expression.
        strength: Factor on its strength.
        regions: Factors on those of its regions; None for 1.
        curve: In place of its curve; None keeps it.
        sliders: On top of its sliders, in place of those of the same name; None for none.

    Returns:
        The changed request; no strength gets above the largest.
    """
    joined = request.sliders
    if sliders is not None:
        joined = make_sliders((joined.values if joined is not None else {}) | sliders.values)
    return replace(
        request,
        strength=min(request.strength * strength, MAX_STRENGTH),
        regions=request.regions.times(regions or RegionStrengths()),
        curve=curve or request.curve,
        sliders=joined,
    )
