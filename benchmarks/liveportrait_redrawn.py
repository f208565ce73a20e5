"""Plain paste-back against difference rendering on real frames: a frame is turned into a later one of its clip.

    python -m training.train_small_liveportrait DATA NETWORKS --minutes 50
    python -m training.convert_lpips vgg16.safetensors
    python -m benchmarks.liveportrait_redrawn NETWORKS DATA --vgg vgg16.safetensors [--look redrawn.png]

NETWORKS has files of LivePortrait's layout, published or small. Of each person of the test split a frame is drawn with
the keypoints of a later one, and pasted into its own frame; that later frame is the truth. Frames are made smaller so
that the renderer has 1, 0.5 and 0.25 pixels per pixel of the frame and side. "nothing": the first frame itself. Border:
low-passed change 4 % inside the border of the crop, in grey levels, which the feather has to hide.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch

from thfem_core.face.crop import FaceCrop, crop_frame
from thfem_core.face.models import default_face_models
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.networks.liveportrait.crop import mesh_square
from thfem_core.networks.liveportrait.drawing import FaceDrawer
from thfem_core.networks.liveportrait.files import locate_liveportrait
from thfem_core.networks.liveportrait.networks import load_liveportrait
from thfem_core.networks.liveportrait.pasting import paste_difference, paste_plain
from training.clip_faces import faces_of_clip
from training.data.prepare import read_index

from .liveportrait_pasting import SHARES, decibels, sharpness
from .mouth_renderer import lpips_vgg

SHOWN = 128  # pixels of a side at which LPIPS looks


class Pair(NamedTuple):
    """Two frames of a clip, and where the face is in the first."""

    before: np.ndarray
    after: np.ndarray
    crop: FaceCrop


def pairs(data: Path, people: int) -> Iterator[Pair]:
    """Of each person of the test split two frames, a quarter of the clip apart."""
    models, seen = default_face_models(torch.device("cpu")), set[str]()
    for row in read_index(data, ["test"]):
        if row["identity"] in seen or len(seen) == people:
            continue
        faces = list(faces_of_clip(data / "crops" / row["file"], models, 5))
        if len(faces) == 5:
            seen.add(row["identity"])
            cx, cy, side, turn = map(float, mesh_square(faces[1][1][None])[0])
            yield Pair(faces[1][0].rgb(), faces[2][0].rgb(), FaceCrop(cx=cx, cy=cy, side=side, rotation=turn))


def shrunk(pair: Pair, side: float) -> Pair:
    """The pair with a crop of ``side`` pixels."""
    k, (height, width) = side / pair.crop.side, pair.before.shape[:2]
    size = max(1, round(k * width)), max(1, round(k * height))
    kx, ky = size[0] / width, size[1] / height
    smaller = cv2.INTER_AREA if k < 1 else cv2.INTER_CUBIC
    before, after = (cv2.resize(picture, size, interpolation=smaller) for picture in pair[:2])
    crop = FaceCrop(cx=kx * pair.crop.cx, cy=ky * pair.crop.cy, side=side, rotation=pair.crop.rotation)
    return Pair(before, after, crop)


def as_frame(pixels: np.ndarray) -> ArrayFrame:
    return ArrayFrame(index=0, time=Fraction(0), pixels=pixels)


def results(pair: Pair, drawer: FaceDrawer) -> dict[str, np.ndarray]:
    """The first frame as each way turns it into the second one."""
    frames = [as_frame(picture) for picture in pair[:2]]
    large = [crop_frame(frame, pair.crop, 2 * drawer.side) for frame in frames]
    seen = [cv2.resize(picture, (drawer.side, drawer.side), interpolation=cv2.INTER_AREA) for picture in large]
    before, after = drawer.read(seen).keypoints().split(1)
    (unchanged,), (edited,) = drawer.draw(seen[:1], before, [before, after])
    return {
        "nothing": pair.before,
        "plain": paste_plain(frames[0], pair.crop, edited).rgb(),
        "difference": paste_difference(frames[0], pair.crop, unchanged, edited).rgb(),
    }


def border_change(pair: Pair, result: np.ndarray) -> float:
    """How much the result differs from the first frame along a square 4 % inside the border of the crop."""
    change = (result.astype(np.float32) - pair.before).mean(axis=-1)
    change = cv2.GaussianBlur(change, (0, 0), 0.01 * pair.crop.side)
    along, edge = np.linspace(0.04, 0.96, 93), np.full(93, 0.04)
    ring = [(along, edge), (along, 1 - edge), (edge, along), (1 - edge, along)]
    xy = pair.crop.to_frame(np.concatenate([np.stack(line, axis=1) for line in ring]), 1) - 0.5
    height, width = change.shape
    inside = ((xy > 0) & (xy < [width - 1, height - 1])).all(axis=1)
    x, y = (xy[inside, axis].astype(np.float32)[:, None] for axis in (0, 1))
    return float(np.abs(cv2.remap(change, x, y, cv2.INTER_LINEAR)).mean()) if inside.any() else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--vgg", type=Path, help="file of VGG16, for LPIPS")
    parser.add_argument("--look", type=Path, help="a picture of some results")
    args = parser.parse_args()
    drawer = FaceDrawer(load_liveportrait(locate_liveportrait(folders=[args.networks])), torch.device("cpu"))
    distance = lpips_vgg(args.vgg) if args.vgg else None
    found: dict[tuple[float, str], list[list[float]]] = defaultdict(list)
    rows = []
    for number, whole in enumerate(pairs(args.data, args.people)):
        for share in SHARES:
            pair = shrunk(whole, 2 * drawer.side / share)
            box = pair.crop.box(as_frame(pair.before))
            truth = pair.after[box.y0 : box.y1, box.x0 : box.x1]
            given = results(pair, drawer)
            for name, picture in given.items():
                shown = picture[box.y0 : box.y1, box.x0 : box.x1]
                values = [decibels(shown, truth), sharpness(shown) / sharpness(truth), border_change(pair, picture)]
                if distance is not None:
                    a, b = (
                        torch.from_numpy(cv2.resize(each, (SHOWN, SHOWN), interpolation=cv2.INTER_CUBIC))
                        for each in (shown, truth)
                    )
                    with torch.inference_mode():
                        values.append(distance(*(x.permute(2, 0, 1)[None].float() / 127.5 - 1 for x in (a, b))).item())
                found[share, name].append(values)
            if share == SHARES[-1] and number % 5 == 0:
                shown = [*given.values(), pair.after]
                rows.append(np.hstack([cv2.resize(p, (SHOWN, SHOWN), interpolation=cv2.INTER_AREA) for p in shown]))
    print("| pixels per pixel and side | result | dB | sharpness | border | LPIPS |\n|---|---|---|---|---|---|")
    for (share, name), values in found.items():
        psnr, sharp, border, *lpips = np.nanmean(values, axis=0)
        last = f"{lpips[0]:.3f}" if lpips else ""
        print(f"| {share:g} | {name} | {psnr:.1f} | {100 * sharp:.0f} % | {border:.2f} | {last} |")
    print(f"{len(found[SHARES[0], 'plain'])} people; plain is nearer the truth (dB) than difference in:")
    for share in SHARES:
        better = np.array(found[share, "plain"])[:, 0] > np.array(found[share, "difference"])[:, 0]
        print(f"{share:g}: {better.mean():.0%}")
    if args.look:
        cv2.imwrite(str(args.look), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
