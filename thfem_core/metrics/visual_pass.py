"""The pass over two clips (and a reference, and the truth) in which everything that can be seen is measured."""

from __future__ import annotations

from collections.abc import Iterator
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
from .judges.protocol import SeenFace
from .landmark_pair import MAX_LAG, LandmarkPair
from .pairing import FramePairs
from .pixel_fidelity import psnr, ssim
from .seam import outside_face_difference, seam_step
from .sharpness import sharpness_ratio

NO_FACE = "use a clip in which a face looks towards the camera and is not tiny"
_UNKNOWN_LENGTH = 250  # frames assumed where a file does not say how many it has


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonConfig:
    """How much of the clips is looked at.

    every: Networks look at one frame in this many.
    pixels_every: Pixels are compared at one frame in this many.
    pictures: Moments that a report shows side by side.
    """

    every: int = 5
    pixels_every: int = 5
    pictures: int = 6

    def __post_init__(self) -> None:
        for name in ("every", "pixels_every", "pictures"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; give 1 or more")


class VisualPass:
    """What landmarks, pixels and networks see of all clips, in one pass over them.

    landmarks: Face meshes of source and output.
    passes: One per network.
    pictures: As in :class:`.findings.Comparison`.
    notes: What a reader should know, one line each.
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
        self.pairs = FramePairs(source, output)
        self.landmarks = LandmarkPair()
        self.passes = [FeaturePass(extractor) for extractor in judges.extractors]
        self.pictures: list[tuple[float, np.ndarray, np.ndarray]] = []
        self.notes: list[str] = []
        self._followers = FaceFollower(faces), FaceFollower(faces), FaceFollower(faces)
        self._pixels: dict[str, list[float]] = {}

    def measure(self, progress: Progress) -> None:
        """Look at every frame of all clips.

        Args:
            progress: Hears of ``Measuring``, then of ``Reading the reference``.

        Raises:
            InputError: The source shows no face, or the true clip is of another size than the output.
        """
        source, output = self.pairs.source.info, self.pairs.output.info
        shown_every = max(1, ceil((output.frame_count or _UNKNOWN_LENGTH) / self._config.pictures))
        same_size = (source.width, source.height) == (output.width, output.height)
        with ExitStack() as stack:
            references, truths = (_opened(clip, stack) for clip in (self.reference, self._truth))
            for number, (before, after) in enumerate(self.pairs):
                meshes = self._fit(before, after, same_size=same_size)
                self.landmarks.add(*meshes)
                reference = next(references, None)
                if number % self._config.every == 0:
                    self._ask_networks(float(after.time), (before, meshes[0]), (after, meshes[1]), reference)
                if number % self._config.pixels_every == 0 and same_size and np.isfinite(meshes[0][0, 0]):
                    self._compare_pixels(before.rgb(), after.rgb(), meshes[0])
                self._compare_truth(next(truths, None), after, number)
                if number % shown_every == shown_every // 2 and len(self.pictures) < self._config.pictures:
                    self.pictures.append((float(after.time), before.rgb(), after.rgb()))
                progress("Measuring", number + 1, output.frame_count)
            for number, frame in enumerate(islice(references, 0, None, self._config.every)):
                self._ask_networks(float(frame.time), None, None, frame)
                progress("Reading the reference", number + 1, None)
        if not self.landmarks.seen[0]:
            raise InputError(f"no face found in {source.name}; {NO_FACE}")
        self.notes += self.pairs.notes()
        self.notes += self._face_notes()

    def pixel_means(self) -> dict[str, float]:
        """Means over time of the measures that compare pixels, by key."""
        found = {key: [value for value in values if np.isfinite(value)] for key, values in self._pixels.items()}
        return {key: float(np.mean(values)) for key, values in found.items() if values}

    def _fit(self, before: Frame, after: Frame, *, same_size: bool) -> tuple[np.ndarray, np.ndarray]:
        """Face meshes of a pair of frames; the output's face is the one at the place of the source's."""
        mesh = self._followers[0].fit(before)
        return mesh, self._followers[1].fit(after, near=mesh if same_size else None)

    def _ask_networks(
        self, time: float, source: SeenFace | None, output: SeenFace | None, reference: Frame | None
    ) -> None:
        """Show one moment to all networks; None where a clip has ended."""
        if not self.passes:
            return
        seen = None if reference is None else (reference, self._followers[2].fit(reference))
        faces = [
            (moment[0].rgb(), moment[1]) if moment is not None and np.isfinite(moment[1][0, 0]) else None
            for moment in (source, output, seen)
        ]
        for network in self.passes:
            network.add(time, [None if face is None else network.extractor.crop(*face) for face in faces])

    def _compare_pixels(self, before: np.ndarray, after: np.ndarray, mesh: np.ndarray) -> None:
        self._note_pixel("seam_step", seam_step(before, after, mesh))
        self._note_pixel("sharpness", sharpness_ratio(before, after, mesh))
        self._note_pixel("outside", outside_face_difference(before, after, mesh))

    def _compare_truth(self, true: Frame | None, after: Frame, number: int) -> None:
        if true is None or self._truth is None or number % self._config.pixels_every:
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

    def _face_notes(self) -> list[str]:
        lines = []
        if self.landmarks.count <= 2 * MAX_LAG + 2:
            lines.append(
                f"{self.landmarks.count} frames are too few to correlate the lips; give {2 * MAX_LAG + 3} or more"
            )
        clips = (self.pairs.source, self.pairs.output, self.reference)
        for clip, follower in zip(clips, self._followers, strict=True):
            if clip is not None and follower.most_faces > 1:
                lines.append(f"{clip.info.name} shows up to {follower.most_faces} faces; the largest is measured")
        output, (before, after) = self.pairs.output.info.name, self.landmarks.seen
        if not after:
            lines.append(f"no face found in {output}; only pixels were compared; {NO_FACE}")
        elif after < 0.95 * before:
            lines.append(f"{output} shows the face in {after} frames only, {self.pairs.source.info.name} in {before}")
        # Only networks look at the reference.
        if self.reference is not None and self.passes and not self._followers[2].most_faces:
            lines.append(f"no face found in {self.reference.info.name}; {NO_FACE}")
        return lines


def _opened(clip: Video | None, stack: ExitStack) -> Iterator[Frame]:
    """Frames of a clip, decoded ahead, closed with the stack; none without a clip."""
    return iter(()) if clip is None else stack.enter_context(closing(prefetch(clip.frames())))
