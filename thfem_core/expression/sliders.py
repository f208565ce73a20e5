"""Expression sliders: parts of an expression in numbers, for every editor that understands them.

Names, units and ranges are those of the ComfyUI node AdvancedLivePortrait, so that numbers found elsewhere mean the
same here. They can be saved to and loaded from small JSON files; some come with the package.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from ..errors import InputError
from ..options import Options, option, options_of

_FOLDER = Path(__file__).with_name("slider_presets")


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
        return _made(values)


def slider_names() -> tuple[str, ...]:
    """All sliders, in the order front ends show them."""
    return tuple(each.name for each in options_of(ExpressionSliders))


@cache
def preset_names() -> tuple[str, ...]:
    """The presets that come with the package."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.json")))


def load_sliders(name: str | Path) -> ExpressionSliders:
    """Load a preset.

    Args:
        name: One of :func:`preset_names`, or a ``.json`` file.

    Returns:
        Its sliders.

    Raises:
        InputError: There is no such preset or file, or it is not one.
    """
    path = _FOLDER / f"{name}.json" if str(name) in preset_names() else Path(name)
    if path.suffix != ".json":
        raise InputError(
            f"there is no slider preset {str(name)!r}; choose one of: {', '.join(preset_names())}, or give a .json "
            "file or a value such as smile=0.6"
        )
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the slider preset {path} cannot be read ({error.strerror})") from None
    except ValueError:
        raise InputError(
            f"{path} is no slider preset: it is not JSON; save one from the node Expression Sliders"
        ) from None
    values = loaded.get("sliders") if isinstance(loaded, Mapping) else None
    if not isinstance(values, Mapping) or not all(isinstance(value, int | float) for value in values.values()):
        raise InputError(f'{path} is no slider preset; it should look like {{"sliders": {{"smile": 0.6}}}}')
    return _made(values)


def save_sliders(sliders: ExpressionSliders, path: Path) -> None:
    """Write a preset as JSON. Raises InputError where the file cannot be written."""
    try:
        path.write_text(json.dumps({"sliders": sliders.values}, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the slider preset {path} cannot be written ({error.strerror}); choose another place"
        ) from None


def _made(values: Mapping[str, float]) -> ExpressionSliders:
    """The sliders of these values. Raises InputError where a name is unknown or a value out of range."""
    for name in values:
        if name not in slider_names():
            raise InputError(f"there is no slider {name!r}; choose one of: {', '.join(slider_names())}")
    return ExpressionSliders(**values)
