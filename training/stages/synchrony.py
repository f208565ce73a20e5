"""Who speaks in step with their sound: a first motion network's error against the same sound, shifted.

    python -m training.stages.synchrony PREPARED [--weights runs/mouth/motion.safetensors] [--split train]

Loudness and lip aperture agree at a lag of some syllables as easily as at none, so the measure that
training.build_dataset stores turns away many good clips. Sound that belongs to the mouth fits best where it is. For
each person: correlation of the predicted with the true lip aperture at shifts of -4 to 4 frames (positive: the sound
played later), windows of 5. In step are those with the best fit at most a frame away, clearly better than 3 or 4
frames away. The last line is ``in_step`` for the configuration; clips are taken or left, their sound is never moved.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from thfem_core.talking_head.mouth.coefficients import MouthBasis, load_mouth_basis
from thfem_core.talking_head.mouth.motion import MotionNet
from thfem_core.talking_head.mouth.networks import load_motion

from ..config import DataConfig
from ..data.clips import COLUMNS_PER_FRAME, SpeakingClip, load_clips
from .motion import motion_scores

SHIFTS = range(-4, 5)
LEAST, MARGIN = 0.35, 0.05


def shifted(clip: SpeakingClip, frames: int) -> SpeakingClip:
    """The same mouth with its sound played ``frames`` later; the end goes to the beginning."""
    return replace(clip, mel=np.roll(clip.columns, COLUMNS_PER_FRAME * frames, axis=0))


def agreement(net: MotionNet, basis: MouthBasis, clip: SpeakingClip) -> np.ndarray:
    """(9,) correlation of the lip aperture at each of :data:`SHIFTS`."""
    return np.array([motion_scores(net, basis, [shifted(clip, s)], window=5)["aperture"] for s in SHIFTS])


def is_in_step(correlations: np.ndarray) -> bool:
    """(9,) at SHIFTS → see the module."""
    best = int(correlations.argmax())
    near = abs(SHIFTS[best]) <= 1
    far = max(value for value, shift in zip(correlations, SHIFTS, strict=True) if abs(shift) >= 3)
    return bool(near and correlations[best] >= LEAST and correlations[best] - far >= MARGIN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--split", default="train")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    basis, net = load_mouth_basis(), load_motion(arguments.weights)
    clips = load_clips(
        DataConfig(prepared=str(arguments.prepared)), arguments.split, basis, keep=lambda clip: len(clip.speech) > 0
    )
    people: defaultdict[str, list[tuple[int, np.ndarray]]] = defaultdict(list)
    for clip in clips:
        if clip.mel is not None and clip.frames >= 12:
            people[clip.clip.identity].append((clip.frames, agreement(net, basis, clip)))
    chosen = []
    for person, rows in sorted(people.items()):
        frames, values = zip(*rows, strict=True)
        mean = np.average(values, axis=0, weights=frames)
        chosen += [person] * is_in_step(mean)
        print(f"{person:40s} {sum(frames):6d} frames  " + " ".join(f"{value:5.2f}" for value in mean))
    print("in_step = [" + ", ".join(f'"{person}"' for person in chosen) + "]")


if __name__ == "__main__":
    main()
