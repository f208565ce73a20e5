"""All measures of an output against its source, in one pass over both clips (and a second one for synchrony)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from math import ceil

import numpy as np

from ..audio.speech import Speech
from ..device import one_cpu_thread
from ..errors import InputError
from ..expression.request import EMOTIONS
from ..face.models import FaceModels
from ..media.frame import Frame
from ..media.prefetch import prefetch
from ..media.video import Video
from ..progress import Progress, silent
from .catalogue import LANDMARK_MEASURES, LOUDNESS_MEASURES, LPIPS, SYNC_MEASURES, TRUTH_MEASURES
from .face_follower import FaceFollower
from .feature_extractor import FeatureExtractor
from .feature_pass import FeaturePass, MeasuredValue
from .frechet import FeatureSpread
from .landmark_pair import MAX_LAG, LandmarkPair, LipTraces
from .loudness import MAX_LAG as LOUDNESS_LAG
from .loudness import loudness, loudness_sync
from .measure import unranged
from .pairing import FramePairs
from .perceptual import PerceptualDistance
from .picture import psnr, ssim
from .seam import outside_face_difference, seam_step
from .sharpness import sharpness_ratio
from .sync import SyncScore
from .sync_expert import SeenFace, SyncExpert, clip_sync

NO_FACE = "use a clip in which a face looks towards the camera and is not tiny"


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonConfig:
    """every: the networks look at one frame in this many. pixels_every: pixel measures at one frame in this many.
    pictures: moments shown side by side.
    """

    every: int = 5
    pixels_every: int = 5
    pictures: int = 6

    def __post_init__(self) -> None:
        for name in ("every", "pixels_every", "pictures"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; give 1 or more")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Judges:
    """The networks to ask besides the face mesh. perceptual: only used with a true clip."""

    extractors: Sequence[FeatureExtractor] = ()
    sync: Sequence[SyncExpert] = ()
    perceptual: PerceptualDistance | None = None


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


def compare_clips(
    source: Video,
    output: Video,
    *,
    faces: FaceModels,
    judges: Judges | None = None,
    reference: Video | None = None,
    truth: Video | None = None,
    target_emotion: str | None = None,
    config: ComparisonConfig | None = None,
    progress: Progress = silent,
) -> Comparison:
    """Measure ``output`` (edited) against ``source`` (unedited, of the same moments).

    reference: a real clip of the wanted expression, for CSIM and FAD. truth: what the output should be, pixel by pixel.
    The largest face is measured. Memory grows by less than 1 kB per frame. ``progress`` gets "Measuring" and
    "Lips and sound". Raises InputError where the source shows no face or a value is unknown.
    """
    judges, config = judges or Judges(), config or ComparisonConfig()
    if target_emotion is not None and target_emotion not in EMOTIONS:
        raise InputError(f"unknown emotion {target_emotion!r}; choose one of: {', '.join(EMOTIONS)}")
    run = _Run(source, output, faces, judges, reference, truth, config)
    with one_cpu_thread():
        run.measure(progress)
        traces = run.landmarks.traces()
        mesh = run.landmarks.measures(traces) | run.pixel_means()
        loud = [run.loudness(side, traces.apertures[side]) for side in (0, 1)]
        sync = {expert.title: run.sync(expert, progress) for expert in judges.sync}
    measures = LANDMARK_MEASURES + ((*TRUTH_MEASURES, LPIPS) if truth is not None else ())
    embedded = tuple(
        ("", MeasuredValue(measure=m, value=mesh.get(m.key, float("nan")))) for m in measures if m.key in mesh
    )
    heard = tuple(
        ("", MeasuredValue(measure=measure, value=loud[1][key], source=loud[0].get(key, float("nan"))))
        for measure in LOUDNESS_MEASURES
        if (key := measure.key) in loud[1]
    )
    families = [Findings(title="Landmarks and pixels (embedded face mesh)", values=embedded + heard)]
    for official, title in (
        (True, "Networks of the papers"),
        (False, "Offline stand-ins: compare them with each other only, not with published numbers"),
    ):
        family = _network_findings(run, sync, official=official, title=title, target_emotion=target_emotion)
        if family.values:
            families.append(family)
    return Comparison(
        source=source.info.name,
        output=output.info.name,
        reference=None if reference is None else reference.info.name,
        target_emotion=target_emotion,
        frame_rate=output.info.frame_rate,
        frames=run.landmarks.count,
        families=tuple(families),
        traces=traces,
        pictures=tuple(run.pictures),
        notes=tuple(run.notes),
    )


def _network_findings(run: _Run, sync: dict, *, official: bool, title: str, target_emotion: str | None) -> Findings:
    passes = [p for p in run.passes if p.extractor.official == official]
    values = [
        (p.extractor.title, value)
        for p in passes
        for value in p.values(target_emotion=target_emotion, has_reference=run.reference is not None)
    ]
    experts = [e for e in run.judges.sync if e.official == official and any(sync[e.title])]
    for expert in experts:
        before, after = sync[expert.title]
        for measure, name in zip(SYNC_MEASURES, ("distance", "confidence", "offset"), strict=True):
            a, b = (float("nan") if score is None else float(getattr(score, name)) for score in (before, after))
            known = measure if expert.official or measure.better == "zero" else unranged(measure)
            values.append((expert.title, MeasuredValue(measure=known, value=b, source=a)))
    return Findings(
        title=title,
        official=official,
        values=tuple(values),
        emotions={p.extractor.title: shown for p in passes if (shown := p.emotions()) is not None},
        sync={e.title: sync[e.title] for e in experts},
        spreads={p.extractor.title: kept for p in passes if (kept := p.spreads()) is not None},
    )


class _Run:
    """One comparison under way."""

    def __init__(
        self,
        source: Video,
        output: Video,
        faces: FaceModels,
        judges: Judges,
        reference: Video | None,
        truth: Video | None,
        config: ComparisonConfig,
    ) -> None:
        self.judges, self.reference, self._truth, self._config = judges, reference, truth, config
        self.pairs, self._faces = FramePairs(source, output), faces
        self.landmarks = LandmarkPair()
        self.passes = [FeaturePass(extractor) for extractor in judges.extractors]
        self.pictures: list[tuple[float, np.ndarray, np.ndarray]] = []
        self.notes: list[str] = []
        self._pixels: dict[str, list[float]] = {}
        self._speeches: dict[int, Speech | None] = {}

    def measure(self, progress: Progress) -> None:
        """The pass over all clips at once."""
        followers = [FaceFollower(self._faces) for _ in range(3)]
        total = self.pairs.output.info.frame_count
        shown_every = max(1, ceil((total or 250) / self._config.pictures))
        info = (self.pairs.source.info, self.pairs.output.info)
        same_size = (info[0].width, info[0].height) == (info[1].width, info[1].height)
        with ExitStack() as stack:
            references, truths = (self._other(clip, stack) for clip in (self.reference, self._truth))
            for number, (before, after) in enumerate(self.pairs):
                points = [followers[0].fit(before)]
                points.append(followers[1].fit(after, near=points[0] if same_size else None))
                self.landmarks.add(*points)
                example = next(references, None)
                if self.passes and number % self._config.every == 0:
                    self._feed(float(after.time), (before, after, example), (*points, followers[2]))
                if number % self._config.pixels_every == 0 and same_size and np.isfinite(points[0][0, 0]):
                    self._compare_pixels(before.rgb(), after.rgb(), points[0])
                self._compare_truth(next(truths, None), after, number)
                if number % shown_every == shown_every // 2 and len(self.pictures) < self._config.pictures:
                    self.pictures.append((float(after.time), before.rgb(), after.rgb()))
                progress("Measuring", number + 1, total)
            for number, example in enumerate(islice(references, 0, None, self._config.every)):
                self._feed(float(example.time), (None, None, example), (None, None, followers[2]))
                progress("Reading the reference", number + 1, None)
        if not self.landmarks.seen[0]:
            raise InputError(f"no face found in {info[0].name}; {NO_FACE}")
        self.notes += self.pairs.notes()
        self.notes += self._face_notes(followers)

    def _other(self, clip: Video | None, stack: ExitStack) -> Iterator[Frame]:
        return iter(()) if clip is None else stack.enter_context(closing(prefetch(clip.frames())))

    def _feed(self, time: float, frames: Sequence[Frame | None], points: Sequence) -> None:
        if frames[2] is not None:
            points = (*points[:2], points[2].fit(frames[2]))
        pictures = [
            (frame.rgb(), where)
            if frame is not None and isinstance(where, np.ndarray) and np.isfinite(where[0, 0])
            else None
            for frame, where in zip(frames, points, strict=True)
        ]
        for one in self.passes:
            one.add(time, [None if seen is None else one.extractor.crop(*seen) for seen in pictures])

    def _compare_pixels(self, before: np.ndarray, after: np.ndarray, points: np.ndarray) -> None:
        self._note_pixel("seam_step", seam_step(before, after, points))
        self._note_pixel("sharpness", sharpness_ratio(before, after, points))
        self._note_pixel("outside", outside_face_difference(before, after, points))

    def _compare_truth(self, true: Frame | None, after: Frame, number: int) -> None:
        if true is None or number % self._config.pixels_every:
            return
        a, b = true.rgb(), after.rgb()
        if a.shape != b.shape:
            raise InputError(
                f"the true clip {self._truth.info.name} is {true.width}×{true.height} but the output "
                f"{after.width}×{after.height}; give clips of one size"
            )
        self._note_pixel("psnr", min(psnr(a, b), 100.0))
        self._note_pixel("ssim", ssim(a, b))
        if self.judges.perceptual is not None:
            self._note_pixel("lpips", self.judges.perceptual.distance(a, b))

    def _note_pixel(self, key: str, value: float) -> None:
        self._pixels.setdefault(key, []).append(value)

    def pixel_means(self) -> dict[str, float]:
        found = {key: [v for v in values if np.isfinite(v)] for key, values in self._pixels.items()}
        return {key: float(np.mean(values)) for key, values in found.items() if values}

    def _face_notes(self, followers: Sequence[FaceFollower]) -> list[str]:
        lines = []
        if self.landmarks.count <= 2 * MAX_LAG + 2:
            lines.append(
                f"{self.landmarks.count} frames are too few to correlate the lips; give {2 * MAX_LAG + 3} or more"
            )
        clips = (self.pairs.source, self.pairs.output, self.reference)
        for clip, follower in zip(clips, followers, strict=True):
            if clip is not None and follower.most_faces > 1:
                lines.append(f"{clip.info.name} shows up to {follower.most_faces} faces; the largest is measured")
        output, (before, after) = self.pairs.output.info.name, self.landmarks.seen
        if not after:
            lines.append(f"no face found in {output}; only pixels were compared; {NO_FACE}")
        elif after < 0.95 * before:
            lines.append(f"{output} shows the face in {after} frames only, {self.pairs.source.info.name} in {before}")
        if self.reference is not None and not followers[2].most_faces:
            lines.append(f"no face found in {self.reference.info.name}; {NO_FACE}")
        return lines

    def sync(self, expert: SyncExpert, progress: Progress) -> tuple[SyncScore | None, SyncScore | None]:
        """Scores of source and output; a note says why one is missing."""
        return self._clip_sync(expert, 0, progress), self._clip_sync(expert, 1, progress)

    def loudness(self, side: int, aperture: np.ndarray) -> dict[str, float]:
        """How lip opening and loudness of a clip go together; empty without sound or for a very short clip."""
        speech, rate = self._speech(side), self.pairs.output.info.frame_rate
        if speech is None or len(aperture) <= 2 * LOUDNESS_LAG + 2:
            return {}
        found = loudness_sync(aperture, loudness(speech, len(aperture), rate))
        lag = float(found.lag) if np.isfinite(found.best) else float("nan")
        return {"loudness_r": found.best, "loudness_lag": lag}

    def _speech(self, side: int) -> Speech | None:
        """The sound of source (0) or output (1); None, and a note, where there is none."""
        if side not in self._speeches:
            clip = (self.pairs.source, self.pairs.output)[side]
            self._speeches[side] = Speech.from_video(clip, warn=self._note_once)
            if self._speeches[side] is None:
                self._note_once(f"{clip.info.name} has no sound; lips and sound were not compared")
        return self._speeches[side]

    def _clip_sync(self, expert: SyncExpert, side: int, progress: Progress) -> SyncScore | None:
        clip, speech = (self.pairs.source, self.pairs.output)[side], self._speech(side)
        if speech is None:
            return None
        count, rate = self.landmarks.count, self.pairs.output.info.frame_rate

        def faces() -> Iterator[SeenFace]:
            with closing(iter(FramePairs(self.pairs.source, self.pairs.output))) as pairs:
                for number, (pair, points) in enumerate(zip(pairs, self.landmarks.side(side), strict=False)):
                    progress("Lips and sound", number + 1, count)
                    yield pair[side], points

        try:
            with closing(faces()) as seen:
                return clip_sync(seen, speech, expert, frames=count, frame_rate=rate)
        except InputError as reason:
            self._note_once(f"{clip.info.name}: {reason}")
            return None

    def _note_once(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)
