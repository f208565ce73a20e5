"""What a judge must offer, by its kind: features of a face, synchrony of lips and sound, distance of two pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import torch

from ...audio.speech import Speech
from ...media.frame import Frame
from .spec import JudgeSpec

RATE = 25  # frames per second at which every sync expert looks

# A frame and the landmarks (478, 3) of the face in it, in pixels; NaN where no face was found.
SeenFace: TypeAlias = "tuple[Frame, np.ndarray]"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FaceFeatures:
    """What a network says about N faces.

    vectors: Features, (N, D) float32.
    emotions: Probabilities in the order of :data:`thfem_core.expression.request.EMOTIONS`, (N, 7) float32; None for
        an identity network.
    """

    vectors: np.ndarray
    emotions: np.ndarray | None = None


class FeatureExtractor(Protocol):
    """A loaded judge of kind ``identity`` or ``expression``.

    spec: What its folder declares.
    width: Length D of its feature vectors.
    """

    spec: JudgeSpec
    width: int

    def crop(self, picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """Cut a face out as the network wants it.

        Args:
            picture: Frame, (H, W, 3) uint8 RGB.
            landmarks: Face mesh in pixels, (478, 2) or (478, 3).

        Returns:
            The crop; all crops of one network have one shape.
        """
        ...

    def features(self, crops: np.ndarray) -> FaceFeatures:
        """Run the network.

        Args:
            crops: N results of :meth:`crop`, stacked.

        Returns:
            Features, and emotions for an expression network.
        """
        ...


class SyncExpert(Protocol):
    """A loaded judge of kind ``sync``, which embeds lips and sound into one space.

    spec: What its folder declares.
    window: Frames, at 25 per second, that it looks at together.
    zero_padded: Whether the sound counts as rows of zeros beyond the clip's ends, as in SyncNet's published protocol;
        if not, shifts beyond the ends do not count.
    """

    spec: JudgeSpec
    window: int
    zero_padded: bool

    def lip_rows(self, faces: Iterable[SeenFace]) -> Iterator[torch.Tensor]:
        """Embed windows of lips.

        Args:
            faces: Consecutive frames of one face at 25 per second, none without a face.

        Returns:
            Blocks of rows (n, D), one row per window; row i begins with frame i. T frames give
            max(T − window + 1, 0) rows.
        """
        ...

    def sound_rows(self, speech: Speech, first: int, stop: int) -> torch.Tensor:
        """Embed windows of sound.

        Args:
            speech: Sound of the clip.
            first: Frame, at 25 per second, with which the first window begins.
            stop: One after the frame with which the last window begins.

        Returns:
            Rows (stop − first, D).
        """
        ...


class PictureDistance(Protocol):
    """A loaded judge of kind ``pictures``.

    spec: What its folder declares.
    """

    spec: JudgeSpec

    def distance(self, truth: np.ndarray, picture: np.ndarray) -> float:
        """Compare a picture with the true one.

        Args:
            truth: (H, W, 3) uint8 RGB.
            picture: (H, W, 3) uint8 RGB of the same size.

        Returns:
            0 for equal pictures, more for others.

        Raises:
            InputError: The pictures differ in size.
        """
        ...


Judge: TypeAlias = "FeatureExtractor | SyncExpert | PictureDistance"
