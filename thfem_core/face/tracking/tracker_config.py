"""Settings of face tracking."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...errors import InputError
from ..weight import WeightConfig
from .shots import CutConfig
from .smoothing import SmoothingConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackerConfig:
    """Settings of the tracker.

    detect_every: Frames between regular searches for faces, from each shot's first; they go on anyway while nobody is
        tracked or somebody was just lost.
    max_faces: Most faces tracked at a time.
    min_presence: Least probability 0..1 at which a fit counts.
    min_face: Least size of a face, pixels.
    max_gap: Longest gap that is interpolated, seconds.
    max_absence: Seconds after which a face at the same place is somebody new.
    min_seen: Seconds a face must be seen to be counted in the order of faces.
    cuts: What counts as a scene cut.
    smoothing: How landmarks are smoothed.
    weight: How strongly edits act on a face.
    """

    detect_every: int = 8
    max_faces: int = 8
    min_presence: float = 0.5
    min_face: float = 24.0
    max_gap: float = 0.4
    max_absence: float = 4.0
    min_seen: float = 0.2
    cuts: CutConfig = field(default_factory=CutConfig)
    smoothing: SmoothingConfig = field(default_factory=SmoothingConfig)
    weight: WeightConfig = field(default_factory=WeightConfig)

    def __post_init__(self) -> None:
        for name in ("detect_every", "max_faces"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; give 1 or more")
        if not 0 < self.min_presence < 1:
            raise InputError(f"min_presence is {self.min_presence:g}; give a value between 0 and 1, such as 0.5")
        for name in ("min_face", "max_gap", "min_seen"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name):g}; give 0 or more")
        if self.max_absence < self.max_gap:
            raise InputError(f"max_absence {self.max_absence:g} s is below max_gap {self.max_gap:g} s; raise it")
