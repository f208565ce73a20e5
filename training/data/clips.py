"""Prepared clips as the trainers read them: coefficients, mel columns, and drawing windows fairly over people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from thfem_core.audio.mel import log_mel
from thfem_core.audio.profile import COMPACT, WAV2LIP
from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.mesh.lip_motion import lip_aperture
from thfem_core.face.pose import HeadPose, head_pose
from thfem_core.media.sound import Sound
from thfem_core.talking_head.mouth.coefficients import MouthBasis
from thfem_core.talking_head.mouth.speaking_style import style_vector

from ..config import DataConfig
from ..sync_expert import COLUMNS
from .pair_files import TrainingPair, read_pairs
from .prepare import FRAME_RATE, PreparedClip, cut_regions, read_clip, synchrony, write_beside

COLUMNS_PER_FRAME = 4  # of the compact profile at 25 frames per second
WAV2LIP_COLUMNS = WAV2LIP.sample_rate // WAV2LIP.hop_length  # per second


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakingClip:
    """A prepared clip and what is derived from it. T frames.

    Attributes:
        clip: as it was prepared.
        pose: of the head.
        shapes: (T, 478, 3) on the canonical head.
        coefficients: (T, K) of the mouth, over the basis' spread.
        mel: (4 T, 80) columns of the compact profile, column 4 t centred at frame t; None if silent.
        sync_mel: (80 columns per second, 80) of the wav2lip profile; None if silent or out of step.
        edited: for a pair, the edited clip whose frames are the sources of this one's; T frames as well.
    """

    clip: PreparedClip
    pose: HeadPose
    shapes: np.ndarray
    coefficients: np.ndarray
    mel: np.ndarray | None
    sync_mel: np.ndarray | None = None
    edited: SpeakingClip | None = None

    @property
    def columns(self) -> np.ndarray:
        """``mel`` of a clip that has sound."""
        assert self.mel is not None, f"{self.clip.name} is silent"
        return self.mel

    @property
    def frames(self) -> int:
        return len(self.coefficients)

    @property
    def mean(self) -> np.ndarray:
        """(K,) the person's mean mouth."""
        return self.coefficients.mean(axis=0)

    @property
    def style(self) -> np.ndarray:
        """(2 K,) see :func:`style_vector`."""
        return style_vector(self.coefficients)


def clip_mels(clip: PreparedClip) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Columns of the whole clip of the compact profile, speech brought to one level, and of the wav2lip profile."""
    if not len(clip.speech):
        return None, None
    speech = Speech.from_sound(Sound(clip.speech[None].astype(np.float32) / 32768, 16000))
    if speech.level < 1e-4:
        return None, None
    samples = torch.from_numpy(np.array(speech.samples))
    return log_mel(samples * speech.gain, COMPACT).numpy(), log_mel(samples, WAV2LIP).numpy()


def load_clips(
    data: DataConfig, split: str, basis: MouthBasis, *, keep: Callable[[PreparedClip], bool]
) -> list[SpeakingClip]:
    """Clips of a split, and what is derived from them.

    Args:
        data: where the clips lie, and how well lips and sound must agree for sync losses to listen to them.
        split: "train", "val" or "test".
        basis: of the mouth coefficients.
        keep: which clips are wanted.

    Raises:
        InputError: there is no such clip.
    """
    if data.pairs:
        return paired_clips(data, split, basis, keep=keep)
    clips = [
        speaking_clip(clip, basis, in_step(data))
        for path in sorted(Path(data.prepared).glob("*.npz"))
        if (clip := read_clip(path)).split == split and keep(clip)
    ]
    if not clips:
        raise InputError(f"no {split} clips in {data.prepared}; make them with python -m training.build_dataset")
    return clips


def speaking_clip(clip: PreparedClip, basis: MouthBasis, is_in_step: Callable[[PreparedClip], bool]) -> SpeakingClip:
    """A prepared clip with what is derived from it; ``is_in_step`` says whether sync losses may listen to it."""
    pose = head_pose(clip.landmarks, canonical_mesh())
    shapes = pose.to_canonical(clip.landmarks).astype(np.float32)
    mel, sync_mel = clip_mels(clip)
    if mel is not None:
        columns = COLUMNS_PER_FRAME * len(shapes)
        mel = np.pad(mel, ((0, max(0, columns - len(mel))), (0, 0)), mode="edge")[:columns]
    return SpeakingClip(
        clip=clip,
        pose=pose,
        shapes=shapes,
        coefficients=basis.read(shapes) / basis.spread,
        mel=mel,
        sync_mel=sync_mel if is_in_step(clip) else None,
    )


def paired_clips(
    data: DataConfig, split: str, basis: MouthBasis, *, keep: Callable[[PreparedClip], bool]
) -> list[SpeakingClip]:
    """The targets of pairs (25 frames per second), each with the edited clip whose frames are its sources.

    Args and errors as :func:`load_clips`; mouth regions are cut out of the face crops, once.
    """
    clips = []
    for pair in read_pairs(Path(data.pairs), split):
        if pair.frame_rate != FRAME_RATE:
            raise InputError(
                f"{pair.folder} has {float(pair.frame_rate):g} frames per second; the mouth model wants 25"
            )
        sides = []
        for side, landmarks in (("edited", pair.edited_landmarks), ("target", pair.target_landmarks)):
            sync, lag = synchrony(lip_aperture(landmarks), pair.speech)
            prepared = PreparedClip(
                name=f"{pair.folder.name}-{side}",
                identity=pair.actor,
                split=split,
                origin="pairs",
                landmarks=landmarks,
                speech=pair.speech,
                sync=sync,
                lag=lag,
                regions=stored_regions(pair, side, landmarks),
            )
            sides.append(prepared)
        if keep(sides[1]):
            edited, target = (speaking_clip(side, basis, in_step(data)) for side in sides)
            clips.append(replace(target, edited=edited))
    if not clips:
        raise InputError(
            f"no {split} pairs in {data.pairs} fit this stage; make more with python -m training.build_pairs"
        )
    return clips


def stored_regions(pair: TrainingPair, side: str, landmarks: np.ndarray) -> np.ndarray:
    """(T, 168, 168, 3) mouth regions of "edited" or "target"; kept beside the pair, on disk until looked at."""
    path = pair.folder / f"regions-{side}.npy"
    if not path.exists():
        write_beside(path, partial(np.save, arr=cut_regions(pair.pictures(side), landmarks)))
    return np.load(path, mmap_mode="r")


def in_step(data: DataConfig) -> Callable[[PreparedClip], bool]:
    """Whether lips and loudness of a clip go together well enough, and at nearly no lag, to learn from.

    Args:
        data: the limits ``min_sync`` and ``max_lag``.

    Returns:
        A function that says so of a clip; False for silent ones.
    """
    return lambda clip: len(clip.speech) > 0 and clip.sync >= data.min_sync and abs(clip.lag) <= data.max_lag


def person_weights(clips: Sequence[SpeakingClip], power: float) -> np.ndarray:
    """(clips,) probability of each clip: people ∝ frames ** power, their clips by length."""
    frames: defaultdict[str, int] = defaultdict(int)
    for clip in clips:
        frames[clip.clip.identity] += clip.frames
    weights = np.array([clip.frames * float(frames[clip.clip.identity]) ** (power - 1) for clip in clips])
    return weights / weights.sum()


def sound_at(clip: SpeakingClip, first: int) -> np.ndarray | None:
    """What sync experts hear with the five frames from ``first`` on: (1, 80, 16) of the wav2lip profile; None where the
    clip has no trusted sound, or ends before."""
    if clip.sync_mel is None or first < 0:
        return None
    begin = int(first * WAV2LIP_COLUMNS / FRAME_RATE)
    columns = clip.sync_mel[begin : begin + COLUMNS]
    return columns.T[None].astype(np.float32) if len(columns) == COLUMNS else None


def interpolate(rows: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Rows (T, C) at fractional indices (...,) → (..., C), linearly, clamped at the ends."""
    moments = np.clip(moments, 0, len(rows) - 1)
    low = np.minimum(moments.astype(int), len(rows) - 2)
    share = (moments - low)[..., None].astype(np.float32)
    return rows[low] * (1 - share) + rows[low + 1] * share
