"""FAD, CSIM and LSE-D as the group's published scripts compute them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
import torch
from PIL import Image
from torchvision.transforms import functional as pictures

from ...audio.mfcc import mfcc
from ..frechet import FeatureSpread, frechet_distance
from ..judges.efficientface.network import MEAN, STD, EfficientFace
from ..judges.syncnet.network import SyncNet
from .network import SIZE, ResNetFace18
from .protocol import RATE

_GREY_SIDE = 164  # of the short side, before the centre is cut out
_FACE_SIDE, _FACE_CENTRE = 256, 224
_SHIFT = 10  # frames to either side among which LSE-D looks
_WINDOW, _ROWS, _STEP = 5, 4, 133  # frames and MFCC rows per frame; samples per row (1/120 s, rounded)
_SKIPPED = 2  # frames at the beginning that NED has no picture of
SAMPLE_RATE = 16_000
_BLOCK = 16


def grey_input(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 RGB as FAD's network looks at it: (128, 128) uint8 grey, its middle, not aligned."""
    grey = Image.fromarray(picture).convert("L")
    return np.asarray(pictures.center_crop(pictures.resize(grey, [_GREY_SIDE]), [SIZE]))


def expression_input(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 RGB as CSIM's network looks at it: (3, 224, 224) float32."""
    face = pictures.center_crop(pictures.resize(Image.fromarray(picture), [_FACE_SIDE]), [_FACE_CENTRE])
    values = np.asarray(face, np.float32) / 255
    return ((values - np.array(MEAN, np.float32)) / np.array(STD, np.float32)).transpose(2, 0, 1)


@torch.inference_mode()
def identity_features(network: ResNetFace18, shown: Iterable[np.ndarray]) -> FeatureSpread:
    """Spread of FAD's features over pictures (H, W, 3) uint8 RGB; any number, in bounded memory."""
    device, spread = next(network.parameters()).device, FeatureSpread.empty(512)
    for block in _blocks(shown):
        grey = np.stack([grey_input(picture) for picture in block])[:, None].astype(np.float32)
        batch = (grey / 255 - 0.5) / 0.5
        spread = spread.updated(network(torch.from_numpy(batch).to(device)).cpu().numpy())
    return spread


def fad(generated: FeatureSpread, real: FeatureSpread) -> float:
    """Fréchet distance; covariances over N − 1. All actors of an emotion are pooled first."""
    return frechet_distance(generated, real)


@torch.inference_mode()
def expression_features(network: EfficientFace, shown: Iterable[np.ndarray]) -> np.ndarray:
    """(N, 1024) CSIM's features of pictures (H, W, 3) uint8 RGB."""
    device = next(network.parameters()).device
    rows = [
        network.features(torch.from_numpy(np.stack([expression_input(p) for p in block])).to(device)).cpu().numpy()
        for block in _blocks(shown)
    ]
    return np.concatenate(rows)


def drawn_pictures(counts: Sequence[tuple[int, int]], *, seed: int = 1, most: int = 100) -> list[tuple[list[int], ...]]:
    """Which pictures CSIM compares.

    Args:
        counts: pictures of each actor, real and generated, in the protocol's order of actors.
        seed: of the draw; the protocol's is 1, anew for each emotion. Others show how much the draw alone decides.
        most: pictures drawn of a folder; smaller ones are taken whole.

    Returns:
        Positions among the sorted pictures, for each actor real and generated.
    """
    draw = random.Random(seed)
    return [tuple(draw.sample(range(n), most) if n > most else list(range(n)) for n in pair) for pair in counts]


def csim(real: Sequence[np.ndarray], generated: Sequence[np.ndarray], *, seed: int = 1) -> float:
    """Mean over actors of the mean cosine between all pairs of drawn real and generated pictures.

    The pairs show different moments, poses and sounds, so equal clips do not give 1.

    Args:
        real: features (N, 1024) of each actor, in the protocol's order.
        generated: the same of the generated pictures.
        seed: of the draw.
    """
    draws = drawn_pictures([(len(a), len(b)) for a, b in zip(real, generated, strict=True)], seed=seed)
    values = []
    for features, picks in zip(zip(real, generated, strict=True), draws, strict=True):
        rows = [side[pick].astype(np.float64) for side, pick in zip(features, picks, strict=True)]
        unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in rows]
        values.append(float((unit[0] @ unit[1].T).mean()))
    return float(np.mean(values))


def sync_sound(samples: np.ndarray) -> np.ndarray:
    """MFCC rows (T, 13) of a source clip's sound: (N,) float at 16 kHz, from its third frame on."""
    return mfcc(samples[_SKIPPED * (SAMPLE_RATE // RATE) :], step=_STEP)


def sync_pictures(shown: Iterable[np.ndarray], *, margin: int = 35) -> np.ndarray:
    """Pictures (H, W, 3) uint8 RGB → (T, 224, 224, 3) BGR. margin: pixels cut off each side; 0 for RAVDESS."""
    rows = []
    for picture in shown:
        inner = picture[margin : picture.shape[0] - margin, margin : picture.shape[1] - margin, ::-1]
        rows.append(cv2.resize(np.ascontiguousarray(inner), (224, 224), interpolation=cv2.INTER_LINEAR))
    return np.stack(rows)


@torch.inference_mode()
def sync_features(network: SyncNet, faces: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features (V, 1024) of lips and of sound; V windows of five pictures and 20 rows, one per picture."""
    device = next(network.parameters()).device
    count = min(len(faces), len(rows) // _ROWS) - _WINDOW
    lips, sounds = [], []
    for begin in range(0, count, _BLOCK):
        windows = range(begin, min(begin + _BLOCK, count))
        seen = np.stack([faces[v : v + _WINDOW] for v in windows]).transpose(0, 4, 1, 2, 3).astype(np.float32)
        length = _WINDOW * _ROWS
        audio = np.stack([rows[_ROWS * v : _ROWS * v + length].T for v in windows])[:, None].astype(np.float32)
        lips.append(network.lip_features(torch.from_numpy(seen).to(device)).cpu().numpy())
        sounds.append(network.sound_features(torch.from_numpy(audio).to(device)).cpu().numpy())
    return np.concatenate(lips), np.concatenate(sounds)


def mean_distances(lips: np.ndarray, sounds: np.ndarray) -> np.ndarray:
    """(21,) mean distance of lips (V, D) from sound (V, D) shifted by −10 … 10 frames, zeros beyond its ends."""
    padded = np.pad(sounds, ((_SHIFT, _SHIFT), (0, 0)))
    shifts = range(2 * _SHIFT + 1)
    return np.array([np.linalg.norm(lips - padded[s : s + len(lips)] + 1e-6, axis=1).mean() for s in shifts])


def lse_d(network: SyncNet, shown: Iterable[np.ndarray], samples: np.ndarray, *, margin: int = 35) -> float:
    """LSE-D of one clip: the least mean distance. NaN for a clip too short for a window.

    Args:
        network: SyncNet v2.
        shown: its pictures (H, W, 3) uint8 RGB at 30 per second, from the source's third frame on.
        samples: sound of the source clip, (N,) float in −1..1 at 16 kHz.
        margin: see :func:`sync_pictures`.
    """
    faces, rows = sync_pictures(shown, margin=margin), sync_sound(samples)
    if min(len(faces), len(rows) // _ROWS) <= _WINDOW:
        return float("nan")
    return float(mean_distances(*sync_features(network, faces, rows)).min())


def _blocks(shown: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
    block: list[np.ndarray] = []
    for picture in shown:
        block.append(picture)
        if len(block) == _BLOCK:
            yield block
            block = []
    if block:
        yield block
