"""Masks and cut-outs of faces."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from thfem_core.face.cutouts import SIDE, FaceCutter, face_mask
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.pipeline import find_faces


def test_the_mask_covers_the_face_and_the_cutter_follows_it(demo_clip: Path) -> None:
    still = next(FileVideo(demo_clip).frames()).rgb()
    moving = np.stack([np.roll(still, (3 * n, 5 * n), axis=(0, 1)) for n in range(6)])
    video = ArrayVideo(moving, Fraction(25))
    tracks = find_faces(video, device=torch.device("cpu")).select("largest")
    cutter = FaceCutter(tracks)
    cuts = []
    for frame in video.frames():
        mask = face_mask(frame, tracks)
        landmarks = tracks[0].samples(frame.index, frame.index + 1).landmarks[0]
        x, y = landmarks[:, :2].mean(axis=0).astype(int)
        assert mask.shape == still.shape[:2] and mask[y, x] == mask.max() > 0.9 and mask[2, 2] == 0
        cuts.append(cutter.cut(frame))
    assert cuts[0].shape == (SIDE, SIDE, 3)
    # the picture moves by 3 and 5 pixels a frame; in the cut-outs the face stands still
    middle = slice(SIDE // 3, 2 * SIDE // 3)
    still_face = np.abs(cuts[5].astype(int) - cuts[1])[middle, middle].mean()
    assert still_face < 0.5 * np.abs(moving[5].astype(int) - moving[1])[120:300, 150:330].mean()


def test_a_clip_without_a_face_gives_an_empty_mask_and_its_middle() -> None:
    video = ArrayVideo(np.full((1, 40, 60, 3), 9, np.uint8), Fraction(25))
    frame = video.frame(0)
    assert not face_mask(frame, ()).any()
    assert (FaceCutter(()).cut(frame) == 9).all()
