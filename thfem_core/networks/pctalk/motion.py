"""PC-Talk's networks: emotion from sound and label (EMC), lips from sound (LAC), and a person's way of speaking.

Deformations are keypoint offsets times the scale of the face. Inside the networks they lie axis by axis: all x, y, z.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..liveportrait.motion_extractor import KEYPOINTS
from ..liveportrait.regions import LIP_ROWS
from .decoder import HEADS, Positions, TransformerDecoder, windowed
from .speech import WIDTH, SpeechFeatures

EMOTIONS = ("neutral", "happy", "sad", "angry", "fear", "disgusted", "surprised", "contempt")
STYLE_FRAMES = 100
_POINTS, _LIPS = 3 * KEYPOINTS, 3 * len(LIP_ROWS)


def by_axis(points: Tensor) -> Tensor:
    """(…, K, 3) → (…, 3 · K), axis by axis."""
    return points.mT.flatten(-2)


def by_point(flat: Tensor) -> Tensor:
    """The inverse of :func:`by_axis`."""
    return flat.unflatten(-1, (3, -1)).mT


class _EmotionalSpeech(nn.Module):
    """Sound as it is under an emotion."""

    def __init__(self, period: int) -> None:
        super().__init__()
        self.period = period
        self.audio_feature_map = nn.Linear(WIDTH, WIDTH)
        self.emo_feature_map = nn.Linear(len(EMOTIONS), WIDTH)
        self.PPE = Positions(period)
        self.transformer_decoder = TransformerDecoder(2)
        self.map_output = nn.Linear(WIDTH, WIDTH)
        self.audio_map_r = nn.Linear(WIDTH, WIDTH)

    def forward(self, audio: Tensor, labels: Tensor) -> Tensor:
        style = self.emo_feature_map(F.one_hot(labels, len(EMOTIONS)).to(audio.dtype))
        memory = self.audio_feature_map(audio).expand(len(labels), -1, -1)
        said = self.transformer_decoder.generate(
            memory,
            style,
            positions=self.PPE.pe,
            period=self.period,
            embed=self.audio_feature_map,
            read=self.audio_map_r,
        )
        return self.map_output(said)


class EmotionNetwork(nn.Module):
    """EMC: sound and emotion → deformations of all keypoints. It never sees the face."""

    def __init__(self, *, period: int = 25, persons: int = 8, person_bias: bool = True) -> None:
        super().__init__()
        self.period = period
        self.audio_feature_map = nn.Linear(WIDTH, WIDTH)  # in the file, not used
        self.vertice_map = nn.Linear(_POINTS, WIDTH)
        self.PPE = Positions(period)
        self.transformer_decoder = TransformerDecoder(1)
        self.vertice_map_r = nn.Linear(WIDTH, _POINTS)
        self.audio_emo_former = _EmotionalSpeech(period)
        self.obj_vector = nn.Linear(persons, WIDTH, bias=person_bias)

    def window(self, audio: Tensor, labels: Tensor, *, person: int = 0, warm: Tensor | None = None) -> Tensor:
        """One window.

        Args:
            audio: (1, L, 512).
            labels: (B,) numbers of :data:`EMOTIONS`.
            person: Whose way of showing emotions.
            warm: (B, W, 63) deformations of the first frames that are known.

        Returns:
            (B, L, 63).
        """
        style = self.obj_vector(_one_hot(person, self.obj_vector, audio)).expand(len(labels), -1)
        return self.transformer_decoder.generate(
            self.audio_emo_former(audio, labels),
            style,
            positions=self.PPE.pe,
            period=self.period,
            embed=self.vertice_map,
            read=self.vertice_map_r,
            warm=warm,
        )

    @torch.inference_mode()
    def forward(
        self, audio: Tensor | SpeechFeatures, labels: Tensor, *, person: int = 0, overlap: int | None = None
    ) -> Tensor:
        """A whole clip: sound (L, 512) and labels (B,) → deformations (B, L, 21, 3)."""
        overlap = self.period // 5 if overlap is None else overlap

        def run(start: int, stop: int, warm: Tensor | None) -> Tensor:
            return self.window(audio[start:stop][None], labels, person=person, warm=warm)

        return by_point(windowed(len(audio), self.period, overlap, run))


def pure_emotion(
    network: EmotionNetwork, audio: Tensor | SpeechFeatures, emotions: Sequence[str], *, person: int = 0
) -> dict[str, Tensor]:
    """What emotions add to a neutral face: (L, 21, 3) deformations each, all in one batch with the neutral one."""
    numbers = [EMOTIONS.index(name) for name in ("neutral", *emotions)]
    device = network.vertice_map.weight.device
    neutral, *others = network(audio, torch.tensor(numbers, device=device), person=person)
    return {name: deformation - neutral for name, deformation in zip(emotions, others, strict=True)}


class LipRefinement(nn.Module):
    """Corrects lip deformations by where the lips of this face are."""

    def __init__(self) -> None:
        super().__init__()
        self.out_fc = nn.Linear(_LIPS + WIDTH, _LIPS)

    def forward(self, lips: Tensor, audio: Tensor) -> Tensor:
        """Lip keypoints (…, 18) and sound (…, 512) → what to add to the deformations (…, 18)."""
        return self.out_fc(torch.cat([lips, audio], dim=-1))


class LipNetwork(nn.Module):
    """LAC: sound → deformations of the six lip keypoints."""

    def __init__(self, *, period: int = 25, persons: int = 203, person_bias: bool = False) -> None:
        super().__init__()
        self.period = period
        self.audio_feature_map = nn.Linear(WIDTH, WIDTH)
        self.vertice_map = nn.Linear(_LIPS, WIDTH)
        self.PPE = Positions(period)
        self.transformer_decoder = TransformerDecoder(1)
        self.vertice_map_r = nn.Linear(WIDTH, _LIPS)
        self.obj_vector = nn.Linear(persons, WIDTH, bias=person_bias)

    def window(self, audio: Tensor, style: Tensor, *, warm: Tensor | None = None) -> Tensor:
        """Sound (1, L, 512), style (1, 512) and known deformations (1, W, 18) → (1, L, 18)."""
        return self.transformer_decoder.generate(
            self.audio_feature_map(audio),
            style,
            positions=self.PPE.pe,
            period=self.period,
            embed=self.vertice_map,
            read=self.vertice_map_r,
            warm=warm,
        )

    def style(self, person: int) -> Tensor:
        """(1, 512) of a person of the training data."""
        return self.obj_vector(_one_hot(person, self.obj_vector, self.obj_vector.weight))

    @torch.inference_mode()
    def refined(
        self,
        audio: Tensor,
        style: Tensor,
        *,
        warm: Tensor | None,
        refinement: LipRefinement | None = None,
        at_rest: Tensor | None = None,
    ) -> Tensor:
        """One window, corrected by the face's own lips.

        Args:
            audio: (1, L, 512).
            style: (1, 512), of :meth:`style` or :class:`StyleEncoder`.
            warm: (1, W, 18) deformations of the first frames that are known.
            refinement: Corrects the deformations; None leaves them.
            at_rest: (L, 6, 3) lip keypoints without expression; needed by the refinement.

        Returns:
            (1, L, 18).
        """
        lips = self.window(audio, style, warm=warm)
        if refinement is not None:
            assert at_rest is not None
            lips = lips + refinement(by_axis(at_rest[None]) + lips, audio)
        return lips


class LipSequence:
    """The lips of a whole clip, window after window, as far as they are asked for."""

    def __init__(
        self,
        network: LipNetwork,
        audio: Tensor | SpeechFeatures,
        style: Tensor,
        *,
        refinement: LipRefinement | None = None,
        at_rest: Callable[[int, int], Tensor] | None = None,
    ) -> None:
        """Begin a clip.

        Args:
            network: The lip network.
            audio: (L, 512).
            style: (1, 512).
            refinement: Corrects each window before the next one begins with it.
            at_rest: Start, stop → (stop − start, 6, 3) lip keypoints without expression, for the refinement.
        """
        self._network, self._audio, self._style = network, audio, style
        self._refinement, self._at_rest = refinement, at_rest
        self._start = 0
        self._before: Tensor | None = None
        self.period, self.overlap = network.period, network.period // 5

    @property
    def finished(self) -> bool:
        """Whether the last frame has been given."""
        return self._before is not None and self._start >= len(self._audio)

    def next_window(self) -> Tensor:
        """The deformations (n, 6, 3) of the next frames, as many as a window adds."""
        warm = None if self._before is None else self._before[:, -self.overlap :]
        start = self._start if warm is None else self._start - self.overlap
        stop = min(start + self.period, len(self._audio))
        at_rest = self._at_rest(start, stop) if self._refinement is not None and self._at_rest is not None else None
        self._before = self._network.refined(
            self._audio[start:stop][None], self._style, warm=warm, refinement=self._refinement, at_rest=at_rest
        )
        self._start = stop
        return by_point(self._before if warm is None else self._before[:, self.overlap :])[0]

    def rest(self) -> Tensor:
        """All frames that have not been given yet: (n, 6, 3)."""
        parts = [self.next_window()]
        while not self.finished:
            parts.append(self.next_window())
        return torch.cat(parts)


class _Pooling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.W = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.Mish(), nn.Linear(WIDTH, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (torch.softmax(self.W(x), dim=1) * x).sum(dim=1)


class _Classifier(nn.Module):
    def __init__(self, persons: int) -> None:
        super().__init__()
        self.dense = nn.Linear(WIDTH, WIDTH)
        self.out_proj = nn.Linear(WIDTH, persons)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_proj(torch.tanh(self.dense(x)))


class StyleEncoder(nn.Module):
    """A hundred frames of lip deformations (B, 100, 18) → how this person speaks (B, 512)."""

    def __init__(self, *, persons: int = 203) -> None:
        super().__init__()
        self.vertice_map = nn.Linear(_LIPS, WIDTH)
        self.PPE = Positions(STYLE_FRAMES)
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 2 * WIDTH, batch_first=True)
        self.transformer_encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.vertice_map_r = nn.Linear(WIDTH, WIDTH)
        self.cls = _Classifier(persons)  # names the person; only training used it
        self.pooling = _Pooling()

    def forward(self, lips: Tensor) -> Tensor:
        x = self.vertice_map(lips) + self.PPE.pe[:, : lips.shape[1]]
        return self.pooling(self.vertice_map_r(self.transformer_encoder(x)))


def _one_hot(person: int, layer: nn.Linear, like: Tensor) -> Tensor:
    persons = layer.in_features
    return F.one_hot(torch.tensor([person], device=like.device), persons).to(like.dtype)
