"""Quick score of an expression editor while it is being changed: a fixed list of clips × emotions in two minutes.

python -m benchmarks.score_editor --data DIR --judges DIR [--emotions happy,sad] [--option folds=mean] [--out DIR]

Edits 24 frames of each clip in memory (no encoding), fits landmarks anew to the edited frames and prints, per
emotion: target probability before and after (both classifiers), lip aperture correlation, identity, jitter, seam. With
--shading the mesh editor also edits without folds and shades: "shading" is the step at the face's outline of what these
add, without the moved texture that "seam" sees as well.
"""

from __future__ import annotations

import argparse
import json
import time
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thfem_core.expression.editor import editors
from thfem_core.expression.request import EMOTIONS, ExpressionRequest
from thfem_core.face.tracking.tracker import track_faces
from thfem_core.media.array_video import ArrayVideo
from thfem_core.metrics.seam import seam_step

from .judge import Judges, Look, add_arguments, compare, load_judges, look, markdown_table, mean, median, read_video
from .strips import save_strip, tile

# Unseen people with audible, mostly neutral speech, then whole frames with hair, glasses, background.
CLIPS = (
    "crops/mead-M003__ff29d_0.mp4",
    "crops/mead-M009__e1e8f_0.mp4",
    "crops/ravdess-04__82e8f_0.mp4",
    "crops/ravdess-06__07d21_0.mp4",
    "crops/ravdess-03__fb65a_0.mp4",
    "crops/hdtf-RD_Radio18__cf17b_0.mp4",
    "crops/grid-lipnet-swiz3n__94b3c_0.mp4",
    "crops/av2av-12__9b6ef_0.mp4",
    "full/LivePortrait__d12.mp4",
    "full/LivePortrait__d20.mp4",
    "full/video-retalking__4.mp4",
    "full/Free-View_Expressive_Talking_Head_Video_Editing__input_video.mp4",
)
SAMPLES = 6  # frames per clip that the networks see
MAX_SIDE = 720  # larger frames are shrunk first: the score is about the face, not about speed


class Subject:
    """A clip's frames in memory, its tracks, and how the judges see it unedited."""

    def __init__(self, path: Path, frames: int, judges: Judges) -> None:
        self.name = path.stem.split("__")[0] + "__" + path.stem.split("__")[-1][:10]
        images = [_shrunk(image) for image in islice(read_video(path), 10, 10 + frames)]
        self.video = ArrayVideo(np.stack(images), Fraction(25), path.name)
        self.count = len(images)
        self.tracks = track_faces(self.video, models=judges.faces).select("largest")
        self.look = look(images, self.count, judges, samples=SAMPLES)

    def edited(self, request: ExpressionRequest, editor: str, options: dict[str, Any]) -> list[np.ndarray]:
        """The frames as an editor changes them."""
        stream = editors.create(editor, options).edit(
            self.video.frames(),
            self.tracks,
            request,
            frame_rate=self.video.info.frame_rate,
            device=torch.device("cpu"),
        )
        return [frame.rgb() for frame in stream]


def shading_step(plain: list[np.ndarray], shaded: list[np.ndarray], source: Look) -> float:
    """Step at the face's outline of what folds and shades add, in gray levels."""
    return mean(seam_step(plain[i], shaded[i], source.landmarks[i]) for i in source.samples)


def _shrunk(image: np.ndarray) -> np.ndarray:
    import cv2

    scale = MAX_SIDE / max(image.shape[:2])
    if scale >= 1:
        return image
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--emotions", default=",".join(e for e in EMOTIONS if e != "neutral"))
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--editor", default="mesh")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=WORD", help="of the editor, repeatable")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--shading", action="store_true", help="also measure the step of folds and shades alone")
    parser.add_argument("--clips", default="", help="only clips whose name contains this")
    args = parser.parse_args()
    options = dict(each.split("=", 1) for each in args.option)
    torch.set_num_threads(1)
    begin = time.perf_counter()
    judges = load_judges(args.judges)
    subjects = [Subject(args.data / clip, args.frames, judges) for clip in CLIPS if args.clips in clip]
    names = [judge.spec.title for judge in judges.expression]
    results, editing = [], 0.0
    for emotion in args.emotions.split(","):
        request = ExpressionRequest(emotion=emotion, strength=args.strength)
        rows = []
        for subject in subjects:
            start = time.perf_counter()
            images = subject.edited(request, args.editor, options)
            editing += time.perf_counter() - start
            after = look(images, subject.count, judges, near=subject.look.landmarks, samples=SAMPLES)
            measures = compare(subject.look, after)
            for i, name in enumerate(names):
                measures[f"{name} before"] = subject.look.probability(i, emotion)
                measures[f"{name} after"] = after.probability(i, emotion)
            if args.shading:
                measures["shading_step"] = shading_step(
                    subject.edited(request, args.editor, {**options, "texture": 0.0}), images, subject.look
                )
            results.append({"clip": subject.name, "emotion": emotion, **measures})
            rows.append(_strip(subject, after))
        if args.out:
            save_strip(args.out / f"{emotion}_{args.strength:g}.png", rows)
    print(summary(results, names))
    frames = sum(s.count for s in subjects) * len(args.emotions.split(","))
    print(f"\nEditing {1000 * editing / frames:.1f} ms/frame, all {time.perf_counter() - begin:.0f} s")
    if args.out:
        (args.out / "scores.json").write_text(json.dumps(results, indent=1))


def _strip(subject: Subject, after: Look) -> list[np.ndarray]:
    """Source and edited at three moments: middle, and where the source's mouth is widest open and most closed."""
    from thfem_core.face.mesh.lip_motion import lip_aperture

    aperture = lip_aperture(subject.look.landmarks)
    numbers = sorted(after.samples, key=lambda i: np.nan_to_num(aperture[i], nan=-1.0))
    tiles = []
    for i in (numbers[0], numbers[len(numbers) // 2], numbers[-1]):
        for version, text in ((subject.look, subject.name if i == numbers[0] else f"frame {i}"), (after, "edited")):
            tiles.append(tile(version.samples[i], subject.look.landmarks[i], 240, text))
    return tiles


def summary(results: list[dict[str, Any]], names: list[str]) -> str:
    header = ["emotion", "n"]
    header += [f"{name}: before → after (rise; raised)" for name in names]
    header += ["aperture r: mean (min)", "width r", "closures kept", "identity (min)", "jitter ×", "added", "seam"]
    shading = all("shading_step" in r for r in results)
    header += ["shading"] if shading else []
    rows = []
    for emotion in [*dict.fromkeys(r["emotion"] for r in results), "all"]:
        group = [r for r in results if emotion in ("all", r["emotion"])]
        row: list[object] = [emotion, len(group)]
        for name in names:
            before, after = mean(r[f"{name} before"] for r in group), mean(r[f"{name} after"] for r in group)
            raised = sum(r[f"{name} after"] > r[f"{name} before"] for r in group)
            row.append(f"{before:.2f} → {after:.2f} ({after - before:+.2f}; {raised})")
        row.append(f"{mean(r['aperture_r'] for r in group):.3f} ({min(r['aperture_r'] for r in group):.2f})")
        row.append(f"{mean(r['width_r'] for r in group):.2f}")
        row.append(f"{mean(r['closure_recall'] for r in group):.2f}")
        row.append(f"{mean(r['identity'] for r in group):.2f} ({min(r['identity'] for r in group):.2f})")
        row.append(f"{median(r['jitter_ratio'] for r in group):.2f}")
        row.append(f"{mean(r['added_jitter'] for r in group):.2f}")
        row.append(f"{mean(r['seam_step'] for r in group):.1f}")
        if shading:
            row.append(f"{mean(r['shading_step'] for r in group):.1f}")
        rows.append(row)
    return markdown_table(header, rows)


if __name__ == "__main__":
    main()
