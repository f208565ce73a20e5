"""What one network says about two versions of a clip, and a reference, gathered frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..expression.request import EMOTIONS
from .cosine import DirectionMean, paired_cosine
from .feature_extractor import FeatureExtractor
from .frechet import FeatureSpread, frechet_distance, unit_rows
from .measure import Measure, unranged
from .network_catalogue import CSIM, CSIM_MEAN, FAD, FAD_UNIT, IDENTITY_COSINE, TARGET

SIDES = ("source", "output", "reference")
_BATCH = 16  # moments per run of the network


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredValue:
    """A measure's value, and the source's own where that means something (NaN otherwise)."""

    measure: Measure
    value: float
    source: float = float("nan")


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
        """The crops of one moment, in the order of SIDES; None without a face, or where a clip has ended."""
        self._waiting.append(crops)
        self._times.append(time)
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Run the network on what is waiting."""
        if not self._waiting:
            return
        count = len(self._waiting)
        places = [(i, side) for i, moment in enumerate(self._waiting) for side, c in enumerate(moment) if c is not None]
        vectors = np.full((3, count, self.extractor.width), np.nan)
        emotions = np.full((3, count, len(EMOTIONS)), np.nan)
        if places:
            found = self.extractor.features(np.stack([self._waiting[i][side] for i, side in places]))
            for row, (i, side) in enumerate(places):
                vectors[side, i] = found.vectors[row]
                if found.emotions is not None:
                    emotions[side, i] = found.emotions[row]
        self._waiting.clear()
        for side, name in enumerate(SIDES):
            if self.extractor.kind == "identity":
                self._raw[name] = self._raw[name].updated(vectors[side])
                self._unit[name] = self._unit[name].updated(unit_rows(vectors[side]))
            self._direction[name] = self._direction[name].updated(vectors[side])
            self._emotions[name].append(emotions[side].astype(np.float32))
        self._cosines["source"].append(paired_cosine(vectors[0], vectors[1]))
        self._cosines["reference"].append(paired_cosine(vectors[2], vectors[1]))

    def spreads(self) -> dict[str, FeatureSpread] | None:
        """Spread of the raw features per clip, of SIDES; None for an expression network."""
        if self.extractor.kind != "identity":
            return None
        self.flush()
        return dict(self._raw)

    def emotions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Times (T,) in seconds and probabilities (T, 7) of source and output; None for an identity network."""
        if self.extractor.kind != "expression":
            return None
        self.flush()
        source, output = (np.concatenate(self._emotions[side] or [np.zeros((0, 7))]) for side in SIDES[:2])
        return np.array(self._times), source, output

    def values(self, *, target_emotion: str | None, has_reference: bool) -> list[MeasuredValue]:
        """The measures this network gives."""
        self.flush()
        if self.extractor.kind == "identity":
            return self._identity(real="reference" if has_reference else "source")
        found = []
        if target_emotion is not None:
            column = EMOTIONS.index(target_emotion)
            before, after = (_mean([part[:, column] for part in self._emotions[side]]) for side in SIDES[:2])
            found.append(MeasuredValue(measure=TARGET, value=after, source=before))
        if has_reference:
            # The range of CSIM holds for the network of the paper only.
            csim, of_means = (m if self.extractor.official else unranged(m) for m in (CSIM, CSIM_MEAN))
            found.append(MeasuredValue(measure=csim, value=_mean(self._cosines["reference"])))
            reference = self._direction["reference"]
            found.append(
                MeasuredValue(
                    measure=of_means,
                    value=self._direction["output"].cosine(reference),
                    source=self._direction["source"].cosine(reference),
                )
            )
        return found

    def _identity(self, *, real: str) -> list[MeasuredValue]:
        same = IDENTITY_COSINE if self.extractor.name != "dlib" else unranged(IDENTITY_COSINE)
        found = [MeasuredValue(measure=same, value=_mean(self._cosines["source"]))]
        if not self.extractor.official:
            return found
        for measure, spreads in ((FAD, self._raw), (FAD_UNIT, self._unit)):
            if min(spreads["output"].count, spreads[real].count) >= 2:
                found.append(MeasuredValue(measure=measure, value=frechet_distance(spreads["output"], spreads[real])))
        return found


def _mean(parts: list[np.ndarray]) -> float:
    values = np.concatenate(parts) if parts else np.zeros(0)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")
