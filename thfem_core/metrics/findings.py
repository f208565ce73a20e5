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
    """What one family of judges found.

    title: Who judged.
    official: Whether they are the networks of the papers; None for the embedded mesh.
    values: (title of the network or "", value), in the order of tables.
    emotions: Per expression network, times (T,) in seconds and probabilities (T, 7) of source and output.
    sync: Per sync expert, the scores of source and output; None where one could not be taken.
    spreads: Per identity network, the spread of its features in each clip (``source``, ``output``, ``reference``), to
        pool Fréchet distances over many clips.
    """

    title: str
    official: bool | None = None
    values: tuple[tuple[str, MeasuredValue], ...]
    emotions: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=dict)
    sync: dict[str, tuple[SyncScore | None, SyncScore | None]] = field(default_factory=dict)
    spreads: dict[str, dict[str, FeatureSpread]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Comparison:
    """All that was measured of an output against its source.

    source: Name of the clip before the edit.
    output: Name of the clip after it.
    reference: Name of the real clip of the target expression, or None.
    target_emotion: The emotion that was asked for, or None.
    frame_rate: Frames per second of the output.
    frames: Frames that were compared.
    families: First the embedded face mesh, then official networks, then offline stand-ins, never mixed.
    traces: Lips over time.
    pictures: (seconds, source, output) of a few moments, pictures (H, W, 3) uint8.
    notes: What a reader should know, one line each.
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
