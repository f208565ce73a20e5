"""What a user asks an expression editor for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Literal, get_args

from ..errors import InputError
from .sliders import ExpressionSliders

if TYPE_CHECKING:
    from ..audio.speech import Speech
    from ..face.tracking.track import FaceTrack
    from ..media.video import Video

Emotion = Literal["neutral", "angry", "disgusted", "fear", "happy", "sad", "surprised"]
EMOTIONS: tuple[Emotion, ...] = get_args(Emotion)
MAX_STRENGTH = 1.5
REGIONS = ("brows", "eyes", "cheeks", "mouth")


def _check_strength(name: str, value: float) -> None:
    if not 0.0 <= value <= MAX_STRENGTH:
        raise InputError(f"{name} is {value:g}; give a value between 0 (no change) and {MAX_STRENGTH} (caricature)")


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionStrengths:
    """Factors on the overall strength, per region of the face: 1 is as the emotion has it, 0 leaves it alone.

    brows: Eyebrows.
    eyes: Eyes.
    cheeks: Cheeks and nose.
    mouth: Mouth and chin.
    """

    brows: float = 1.0
    eyes: float = 1.0
    cheeks: float = 1.0
    mouth: float = 1.0

    def __post_init__(self) -> None:
        for name in REGIONS:
            _check_strength(f"{name} strength", getattr(self, name))

    def times(self, other: RegionStrengths) -> RegionStrengths:
        """Multiply two sets of factors; none gets above the largest strength."""
        return RegionStrengths(
            **{name: min(getattr(self, name) * getattr(other, name), MAX_STRENGTH) for name in REGIONS}
        )


@dataclass(frozen=True, slots=True)
class StrengthCurve:
    """Strength over time.

    points: (seconds, factor) with rising seconds; linear in between, constant outside.
    """

    points: tuple[tuple[float, float], ...] = ((0.0, 1.0),)

    def __post_init__(self) -> None:
        if not self.points:
            raise InputError("the strength curve is empty; give at least one point such as 0:1")
        for (before, _), (after, _) in zip(self.points, self.points[1:], strict=False):
            if after <= before:
                raise InputError(f"strength curve times must rise, but {after:g} s follows {before:g} s")
        for _, value in self.points:
            _check_strength("strength curve value", value)

    @classmethod
    def parse(cls, text: str) -> StrengthCurve:
        """Read a curve as users type it.

        Args:
            text: Such as ``"0:0, 1.5:1, 4:0.3"``: seconds, a colon and the factor.

        Returns:
            The curve.

        Raises:
            InputError: A part cannot be read; the message names it.
        """
        points = []
        for part in filter(None, (p.strip() for p in text.replace(";", ",").split(","))):
            seconds, _, factor = part.partition(":")
            try:
                point = float(seconds), float(factor)
                if not isfinite(point[0]):
                    raise ValueError
                points.append(point)
            except ValueError:
                raise InputError(f"strength curve part {part!r} is not 'seconds:factor', such as 1.5:0.8") from None
        return cls(tuple(points))

    @classmethod
    def over(cls, seconds: float, factors: Sequence[float]) -> StrengthCurve:
        """Spread factors evenly over a clip.

        Args:
            seconds: How long the clip is, above 0.
            factors: Two or more, from its beginning to its end.

        Returns:
            The curve.

        Raises:
            InputError: A factor is out of range.
        """
        step = seconds / (len(factors) - 1)
        return cls(tuple((number * step, float(factor)) for number, factor in enumerate(factors)))

    @property
    def text(self) -> str:
        """As :meth:`parse` reads it."""
        return ", ".join(f"{seconds:g}:{factor:g}" for seconds, factor in self.points)

    def at(self, seconds: float) -> float:
        """Interpolate the factor at a time, in seconds."""
        (before, value), *rest = self.points
        if seconds <= before:
            return value
        for after, next_value in rest:
            if seconds <= after:
                return value + (next_value - value) * (seconds - before) / (after - before)
            before, value = after, next_value
        return value


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceClip:
    """A clip or picture whose expression is copied.

    video: The clip.
    track: The face in it that shows the expression; None until somebody has looked for it, as an edit does.
    """

    video: Video
    track: FaceTrack | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpressionRequest:
    """The expression to give: one of seven emotions, a reference, or sliders, which may also stand beside one of these.

    emotion: Which emotion.
    reference: The clip or picture whose expression is copied.
    sliders: Single movements of the face.
    strength: 0 leaves the clip as it is, 1 is a clear natural expression, 1.5 the most.
    regions: Factors on the strength, per region of the face.
    curve: Factor on the strength, over time.
    speech: The clip's sound, for editors with ``needs_speech``; an edit fills it in.
    """

    emotion: Emotion | None = None
    reference: ReferenceClip | None = None
    sliders: ExpressionSliders | None = None
    strength: float = 1.0
    regions: RegionStrengths = field(default_factory=RegionStrengths)
    curve: StrengthCurve = field(default_factory=StrengthCurve)
    speech: Speech | None = None

    def __post_init__(self) -> None:
        _check_strength("strength", self.strength)
        if self.emotion is not None and self.reference is not None:
            raise InputError("give either an emotion or a reference clip, one of the two")
        if self.emotion is None and self.reference is None and self.sliders is None:
            raise InputError("give an emotion, a reference clip or sliders")
        if self.emotion is not None and self.emotion not in EMOTIONS:
            raise InputError(f"unknown emotion {self.emotion!r}; choose one of: {', '.join(EMOTIONS)}")
