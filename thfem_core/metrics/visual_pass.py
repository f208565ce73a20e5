"""The pass over two clips (and a reference, and the truth) in which everything that can be seen is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from math import ceil

import numpy as np

from ..errors import InputError
from ..face.models import FaceModels
from ..media.frame import Frame
from ..media.prefetch import prefetch
from ..media.video import Video
from ..progress import Progress
from .face_follower import FaceFollower
from .feature_pass import FeaturePass
from .judges.choosing import Judges
from .landmark_pair import MAX_LAG, LandmarkPair
from .pairing import FramePairs
from .pixel_fidelity import psnr, ssim
from .seam import outside_face_difference, seam_step
from .sharpness import sharpness_ratio

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


class VisualPass:
    """What landmarks, pixels and networks see, frame by frame, of all clips at once.

    landmarks; passes: one per network; pictures: see :class:`.findings.Comparison`; notes: one line each.
    """

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
        if self.judges.pictures is not None:
            self._note_pixel("lpips", self.judges.pictures.distance(a, b))

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
