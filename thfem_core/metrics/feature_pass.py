"""What one network says about two versions of a clip, and a reference, gathered frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import numpy as np

from ..expression.request import EMOTIONS
from .cosine import DirectionMean, paired_cosine
from .frechet import FeatureSpread, frechet_distance, unit_rows
from .judges.protocol import FeatureExtractor
from .measure import Measure
from .network_catalogue import CSIM, CSIM_MEAN, FAD, FAD_UNIT, IDENTITY_COSINE, TARGET

SIDES = ("source", "output", "reference")
_BATCH = 16  # moments per run of the network


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredValue:
    """A measure that was taken.

    measure: Which one.
    value: Of the output.
    source: Of the source itself, where that means something; NaN otherwise.
    """

    measure: Measure
    value: float
    source: float = float("nan")

    @property
    def has_source(self) -> bool:
        """Whether the source has a value of its own; the report's template asks."""
        return not isnan(self.source)


class FeaturePass:
    """Feeds crops of source, output and reference to one extractor in batches; keeps sums, not features."""

    def __init__(self, extractor: FeatureExtractor) -> None:
        self.extractor = extractor
        self._waiting: list[list[np.ndarray | None]] = []
        self._times: list[float] = []
        width = extractor.width
        self._raw = {side: FeatureSpread.empty(width) for side in SIDES}
        self._unit = {side: FeatureSpread.empty(width) for side in SIDES}
        self._direction = {side: DirectionMean.empty(width) for side in SIDES}
        self._cosines: dict[str, list[np.ndarray]] = {"source": [], "reference": []}
        self._emotions: dict[str, list[np.ndarray]] = {side: [] for side in SIDES}

    def add(self, time: float, crops: list[np.ndarray | None]) -> None:
        """Take the crops of one moment.

        Args:
            time: The moment, in seconds.
            crops: One per clip, in the order of SIDES; None without a face, or where a clip has ended.
        """
        self._waiting.append(crops)
        self._times.append(time)
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Run the network on what is waiting."""
        if not self._waiting:
            return
        count = len(self._waiting)
        places, crops = [], []
        for i, moment in enumerate(self._waiting):
            for side, crop in enumerate(moment):
                if crop is not None:
                    places.append((i, side))
                    crops.append(crop)
        vectors = np.full((3, count, self.extractor.width), np.nan)
        emotions = np.full((3, count, len(EMOTIONS)), np.nan)
        if crops:
            found = self.extractor.features(np.stack(crops))
            for row, (i, side) in enumerate(places):
                vectors[side, i] = found.vectors[row]
                if found.emotions is not None:
                    emotions[side, i] = found.emotions[row]
        self._waiting.clear()
        for side, name in enumerate(SIDES):
            if self.extractor.spec.kind == "identity":
                self._raw[name] = self._raw[name].updated(vectors[side])
                self._unit[name] = self._unit[name].updated(unit_rows(vectors[side]))
            self._direction[name] = self._direction[name].updated(vectors[side])
            self._emotions[name].append(emotions[side].astype(np.float32))
        self._cosines["source"].append(paired_cosine(vectors[0], vectors[1]))
        self._cosines["reference"].append(paired_cosine(vectors[2], vectors[1]))

    def spreads(self) -> dict[str, FeatureSpread] | None:
        """Spread of the raw features by clip, one of SIDES; None for an expression network."""
        if self.extractor.spec.kind != "identity":
            return None
        self.flush()
        return dict(self._raw)

    def emotions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Times (T,) in seconds and probabilities (T, 7) of source and output; None for an identity network."""
        if self.extractor.spec.kind != "expression":
            return None
        self.flush()
        source, output = (np.concatenate(self._emotions[side] or [np.zeros((0, 7))]) for side in SIDES[:2])
        return np.array(self._times), source, output

    def values(self, *, target_emotion: str | None, has_reference: bool) -> list[MeasuredValue]:
        """The measures that this judge declares, as far as they can be taken.

        Args:
            target_emotion: The emotion that was asked for; None leaves its probability out.
            has_reference: Whether a real clip of the target expression was shown.

        Returns:
            Values in the order in which the judge declares its measures.
        """
        self.flush()
        if self.extractor.spec.kind == "identity":
            taken = self._identity(real="reference" if has_reference else "source")
        else:
            taken = self._expression(target_emotion, has_reference=has_reference)
        return [
            MeasuredValue(measure=measure, value=taken[measure.key][0], source=taken[measure.key][1])
            for measure in self.extractor.spec.measures
            if measure.key in taken
        ]

    def _expression(self, target_emotion: str | None, *, has_reference: bool) -> dict[str, tuple[float, float]]:
        """Value and the source's own, by the measure's key."""
        taken: dict[str, tuple[float, float]] = {}
        if target_emotion is not None:
            column = EMOTIONS.index(target_emotion)
            before, after = (_mean([part[:, column] for part in self._emotions[side]]) for side in SIDES[:2])
            taken[TARGET.key] = after, before
        if has_reference:
            source, output, reference = (self._direction[side] for side in SIDES)
            taken[CSIM.key] = _mean(self._cosines["reference"]), float("nan")
            taken[CSIM_MEAN.key] = output.cosine(reference), source.cosine(reference)
        return taken

    def _identity(self, *, real: str) -> dict[str, tuple[float, float]]:
        """Value and the source's own, by the measure's key; Fréchet distances are to the frames of ``real``."""
        taken = {IDENTITY_COSINE.key: (_mean(self._cosines["source"]), float("nan"))}
        for measure, spreads in ((FAD, self._raw), (FAD_UNIT, self._unit)):
            declared = any(measure.key == own.key for own in self.extractor.spec.measures)
            if declared and min(spreads["output"].count, spreads[real].count) >= 2:
                taken[measure.key] = frechet_distance(spreads["output"], spreads[real]), float("nan")
        return taken


def _mean(parts: list[np.ndarray]) -> float:
    values = np.concatenate(parts) if parts else np.zeros(0)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")
