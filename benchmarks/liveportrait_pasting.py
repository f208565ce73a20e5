"""Plain paste-back against difference rendering, where the right answer is known.

The embedded mesh editor edits native frames: that is the truth. What a renderer such as LivePortrait would give of the
unchanged and of the edited face is imitated from both: fewer pixels, a blur, a colour shift, and a smooth error of its
own in each picture. Both ways then bring the imitation back into the frame.

    python -m benchmarks.liveportrait_pasting [CLIP ...]
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import torch

from thfem_core.expression.editor import editors
from thfem_core.expression.request import Emotion, ExpressionRequest
from thfem_core.face.crop import FaceCrop, crop_frame
from thfem_core.media.frame import Frame
from thfem_core.media.open_video import open_video
from thfem_core.networks.liveportrait.crop import CropPath
from thfem_core.networks.liveportrait.pasting import paste_difference, paste_plain
from thfem_core.pipeline import find_faces
from thfem_core.pipeline.self_test import DEMO_CLIP

FRAMES, EVERY = 24, 6
SHARES = (1.0, 0.5, 0.25)  # pixels of the renderer over native pixels, per side


def imitated(frame: Frame, crop: FaceCrop, size: int, random: np.random.Generator) -> np.ndarray:
    """(size, size, 3) float32: what a renderer might draw of a face."""
    picture = cv2.GaussianBlur(crop_frame(frame, crop, size).astype(np.float32) / 255, (0, 0), 1.0)
    error = cv2.resize(
        random.normal(0, 0.01, (6, 6, 3)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC
    )
    return 0.96 * picture + 0.01 + error


def sharpness(picture: np.ndarray) -> float:
    return float(cv2.Laplacian(picture.astype(np.float64).mean(axis=-1), cv2.CV_64F).var())


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a.astype(np.float64) - b) ** 2) / 255**2 + 1e-12))


def measure(path: Path, emotion: Emotion) -> None:
    video, device = open_video(path), torch.device("cpu")
    tracks = find_faces(video, device=device)
    chosen = tracks.select("largest")
    crops = CropPath(chosen[0], frame_rate=video.info.frame_rate)
    request = ExpressionRequest(emotion=emotion)
    editor = editors.create("mesh")
    with closing(video.frames()) as stream:
        source = [frame for frame, _ in zip(stream, range(FRAMES), strict=False)]
    edit = editor.edit((f for f in source), chosen, request, frame_rate=video.info.frame_rate, device=device)
    truth = list(edit)
    random = np.random.default_rng(0)
    for share in SHARES:
        found: dict[str, list[tuple[float, float]]] = {}
        for before, after in list(zip(source, truth, strict=True))[::EVERY]:
            crop = crops.at(before.index)
            if crop is None:
                continue
            size = max(64, int(share * crop.side) // 2 * 2)
            unchanged, edited = (imitated(frame, crop, size, random) for frame in (before, after))
            box, right = crop.box(before), after.rgb(crop.box(before))
            for name, result in (
                ("plain", paste_plain(before, crop, edited)),
                ("difference", paste_difference(before, crop, unchanged, edited)),
            ):
                shown = result.rgb(box)
                found.setdefault(name, []).append((decibels(shown, right), sharpness(shown) / sharpness(right)))
        for name, values in found.items():
            psnr, sharp = np.mean(values, axis=0)
            print(f"| {path.stem} | {emotion} | {share:g} | {name} | {psnr:.1f} | {100 * sharp:.0f} % |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, default=[DEMO_CLIP])
    parser.add_argument("--emotion", nargs="+", default=["happy", "surprised"])
    args = parser.parse_args()
    print("| clip | edit | pixels per side | paste-back | dB of the truth | its sharpness |\n|---|---|---|---|---|---|")
    for clip in args.clips:
        for emotion in args.emotion:
            measure(clip, emotion)


if __name__ == "__main__":
    main()
