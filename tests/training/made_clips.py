"""Prepared clips that tests make up."""

from __future__ import annotations

import numpy as np

from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.pose import head_pose
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from training.data.clips import COLUMNS_PER_FRAME, SpeakingClip
from training.data.prepare import PreparedClip


def swinging_clip(seed: int, frames: int = 120) -> SpeakingClip:
    """A mouth whose first coefficient swings like a pendulum, so each step follows from the two before, with a sound
    that has nothing to do with it."""
    rng = np.random.default_rng(seed)
    basis = load_mouth_basis()
    coefficients = np.zeros((frames, basis.size), np.float32)
    coefficients[:, 0] = 2 * np.sin(0.5 * np.arange(frames) + rng.uniform(0, 6))
    shapes = (basis.mean + basis.displacement(coefficients * basis.spread)).astype(np.float32)
    landmarks = 2 * shapes + 200
    clip = PreparedClip(
        name=f"swing{seed}",
        identity=f"person{seed}",
        split="train",
        origin="made",
        landmarks=landmarks,
        speech=np.zeros(0, np.int16),
        sync=1.0,
        lag=0,
        regions=None,
    )
    mel = rng.standard_normal((COLUMNS_PER_FRAME * frames, 80)).astype(np.float32)
    pose = head_pose(landmarks, canonical_mesh())
    return SpeakingClip(clip=clip, pose=pose, shapes=shapes, coefficients=coefficients, mel=mel)
