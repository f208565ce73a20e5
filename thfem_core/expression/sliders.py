"""Expression sliders: parts of an expression in numbers, for every editor that understands them.

Names, units and ranges are those of the ComfyUI node AdvancedLivePortrait, so that numbers found elsewhere mean the
same here. They are a part of expression presets (:mod:`.preset_file`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from ..errors import InputError
from ..options import Options, option, options_of
from .preset_file import read_preset, shipped_presets


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpressionSliders(Options):
    """Sliders; 0 leaves the face as it is."""

    smile: float = option(0.0, help="Corners of the mouth and cheeks up.", minimum=-0.3, maximum=1.3)
    eyebrow: float = option(0.0, help="Brows up, or down and together below 0.", minimum=-10.0, maximum=15.0)
    blink: float = option(0.0, help="Eyes wide, or closed below 0.", minimum=-20.0, maximum=5.0)
    wink: float = option(0.0, help="One eye closed.", minimum=0.0, maximum=25.0)
    pupil_x: float = option(0.0, help="Gaze to the side.", minimum=-15.0, maximum=15.0)
    pupil_y: float = option(0.0, help="Gaze up, or down below 0.", minimum=-15.0, maximum=15.0)
    aaa: float = option(0.0, help="Mouth opened.", minimum=-30.0, maximum=120.0)
    eee: float = option(0.0, help="Lips stretched wide.", minimum=-20.0, maximum=15.0)
    woo: float = option(0.0, help="Lips pursed.", minimum=-20.0, maximum=15.0)
    rotate_pitch: float = option(0.0, help="Head down, degrees.", minimum=-20.0, maximum=20.0, advanced=True)
    rotate_yaw: float = option(0.0, help="Head to the side, degrees.", minimum=-20.0, maximum=20.0, advanced=True)
    rotate_roll: float = option(0.0, help="Head tilted, degrees.", minimum=-20.0, maximum=20.0, advanced=True)

    @property
    def values(self) -> dict[str, float]:
        """By name, those that are not 0."""
        return {name: float(value) for name, value in asdict(self).items() if value}

    @classmethod
    def parse(cls, texts: Iterable[str]) -> ExpressionSliders:
        """Read sliders as users type them.

        Args:
            texts: Each ``name=value``, or the name of a preset that comes with the package, or a ``.json`` file. Later
                ones replace earlier ones slider by slider.

        Returns:
            The sliders.

        Raises:
            InputError: A text is none of these, or a value is out of range.
        """
        values: dict[str, float] = {}
        for text in texts:
            name, is_value, number = (part.strip() for part in text.partition("="))
            if not is_value:
                values |= load_sliders(name).values
                continue
            try:
                values[name] = float(number)
            except ValueError:
                raise InputError(f"slider {text!r} is not 'name=number', such as smile=0.6") from None
        return make_sliders(values)


def slider_names() -> tuple[str, ...]:
    """All sliders, in the order front ends show them."""
    return tuple(each.name for each in options_of(ExpressionSliders))


@cache
def slider_presets() -> tuple[str, ...]:
    """The presets of the package that have sliders."""
    return tuple(name for name, file in shipped_presets().items() if "sliders" in read_preset(file))


def load_sliders(name: str | Path) -> ExpressionSliders:
    """Load the sliders of a preset.

    Args:
        name: One of :func:`slider_presets`, or a ``.json`` file.

    Returns:
        Its sliders; what else the preset says is left out.

    Raises:
        InputError: There is no such preset or file, it is not one, or it has no sliders.
    """
    is_shipped = str(name) in slider_presets()
    if not is_shipped and Path(name).suffix != ".json":
        raise InputError(
            f"there is no slider preset {str(name)!r}; choose one of: {', '.join(slider_presets())}, or give a .json "
            "file or a value such as smile=0.6"
        )
    parts = read_preset(name)
    if "sliders" not in parts:
        raise InputError(f"the preset {name} has no sliders; choose another, or give a value such as smile=0.6")
    return make_sliders(parts["sliders"])


def make_sliders(values: Mapping[str, float]) -> ExpressionSliders:
    """Make sliders of values by name.

    Args:
        values: The sliders that are not 0.

    Returns:
        The sliders.

    Raises:
        InputError: A name is unknown, or a value is out of range.
    """
    for name in values:
        if name not in slider_names():
            raise InputError(f"there is no slider {name!r}; choose one of: {', '.join(slider_names())}")
    return ExpressionSliders(**values)
