"""What judges found in two clips."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from .feature_pass import MeasuredValue
from .frechet import FeatureSpread
from .landmark_pair import LipTraces
from .sync import SyncScore


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Findings:
    """What one family of judges found. title: who judged. official: whether they are the networks of the papers; None
    for the embedded mesh. values: in the order of the catalogue.

    emotions: per expression network, times (T,) and probabilities (T, 7) of source and output. sync: per expert, the
    scores of source and output (None where one could not be taken). spreads: per identity network, of its features in
    each clip ("source", "output", "reference"), to pool Fréchet distances over many clips.
    """

    title: str
    official: bool | None = None
    values: tuple[tuple[str, MeasuredValue], ...]  # (network's title or "", value)
    emotions: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=dict)
    sync: dict[str, tuple[SyncScore | None, SyncScore | None]] = field(default_factory=dict)
    spreads: dict[str, dict[str, FeatureSpread]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparison:
    """source, output, reference: names. frame_rate: of the output. frames: compared. families: first the measures of
    the embedded face mesh, then official networks, then offline stand-ins, never mixed. traces: lips over time.
    pictures: (seconds, source, output) as (H, W, 3) uint8. notes: what a reader should know, one line each.
    """

    source: str
    output: str
    reference: str | None
    target_emotion: str | None
    frame_rate: Fraction
    frames: int
    families: tuple[Findings, ...]
    traces: LipTraces
    pictures: tuple[tuple[float, np.ndarray, np.ndarray], ...]
    notes: tuple[str, ...]
