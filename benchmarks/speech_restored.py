"""What the second stage adds: speech in the lips with and without the talking head.

    python -m benchmarks.speech_restored --data DIR [--sets full ned panels] [--seconds 4] [--pairs 12] [--out DIR]

full: clips of full/, edited to happy by the mesh editor. ned: NED's published frames (ned_pairs/), which another system
edited; their lips are compared with those of NED's own source clip. panels: the same from ned_panels/, tiles of 256
pixels side by side: source, reference, NED, and a variant of NED (both count). Each with --talking-head none and with
mouth, drive blend and original (and audio where there is sound); --ways takes some of them. Landmarks are fitted anew
and unsmoothed to every output, side views left out.

How far a measure of the *same* frames wanders when they are encoded again or shifted by a pixel is its noise, clip by
clip; "blend" is at least as good as none where it is not worse by more than that. Medians over clips at the end. With
--out: a picture per clip, four moments, one row per way.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thfem_core.expression.editor import ExpressionEditor, editors
from thfem_core.expression.request import ExpressionRequest
from thfem_core.face.mesh.lip_motion import closure_recall, lagged_correlation, lip_aperture, mouth_motion_distance
from thfem_core.face.models import FaceModels, default_face_models
from thfem_core.face.tracking.tracker import track_faces
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.video import Video
from thfem_core.media.writer import write_video
from thfem_core.metrics.face_follower import FaceFollower
from thfem_core.metrics.jitter import jitter_ratio
from thfem_core.metrics.views import clear_views
from thfem_core.pipeline import EditConfig, edit

from .strips import save_strip, tile

MOMENTS = (0.2, 0.4, 0.6, 0.8)
WAYS: dict[str, dict[str, Any]] = {
    "none": {"talking_head": None},
    "blend": {"talking_head": "mouth", "drive": "blend"},
    "original": {"talking_head": "mouth", "drive": "original"},
    "audio": {"talking_head": "mouth", "drive": "audio"},
}
# Measures, and whether more is better.
MEASURES = {"aperture r": True, "lip motion %": False, "closures kept": True, "jitter": False}
SHIFTS = ((1, 0), (-1, -1))  # pixels


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    source: Video
    editor: str | ExpressionEditor
    ways: tuple[str, ...]


def _shown(edited: Video) -> ExpressionEditor:
    """The editor that takes the frames of ``edited``."""
    return editors.create("frames", {"edited_frames": edited})


def jobs(data: Path, sets: list[str], seconds: float, pairs: int) -> Iterator[Job]:
    length = Fraction(seconds).limit_denominator(100)
    if "full" in sets:
        for path in sorted((data / "full").glob("*.mp4")):
            video = FileVideo(path, duration=length)
            ways = tuple(WAYS) if video.info.has_sound else ("none", "blend", "original")
            yield Job(path.stem[:32], video, "mesh", ways)
    if "ned" in sets:
        found = sorted((data / "ned_pairs").glob("*_NED.mp4"))
        for path in found[:: max(1, len(found) // pairs)][:pairs]:
            unedited = FileVideo(path.with_name(path.name.replace("_NED", "_source")), duration=length)
            edited_by_ned = FileVideo(path, duration=length)
            yield Job(path.stem, unedited, _shown(edited_by_ned), ("none", "blend", "original"))
    if "panels" in sets:
        for path in sorted((data / "ned_panels").glob("*.mp4")):
            video = FileVideo(path, duration=length)
            wide = np.stack([frame.rgb() for frame in video.frames()])
            side = wide.shape[1]
            left, _, ned, variant = (
                ArrayVideo(np.ascontiguousarray(wide[:, :, i * side : (i + 1) * side]), video.info.frame_rate)
                for i in range(4)
            )
            for tag, edited in (("NED", ned), ("variant", variant)):
                yield Job(
                    f"{path.stem}_{tag}",
                    left,
                    editors.create("frames", {"edited_frames": edited}),
                    ("none", "blend", "original"),
                )


def landmarks_of(images: Iterable[np.ndarray], models: FaceModels, near: np.ndarray | None = None) -> np.ndarray:
    """(T, 478, 3) of the largest face, or of the one ``near`` (T, 478, 3); NaN elsewhere."""
    follower = FaceFollower(models)
    rows = []
    for index, image in enumerate(images):
        frame = ArrayFrame(index=index, time=Fraction(index, 25), pixels=np.ascontiguousarray(image))
        rows.append(follower.fit(frame, near=None if near is None else near[index]))
    return clear_views(np.stack(rows))


def same_again(images: np.ndarray, rate: Fraction) -> Iterator[np.ndarray]:
    """The same frames (T, H, W, 3), each time as somebody else would see them."""
    with tempfile.TemporaryDirectory() as folder:
        video = ArrayVideo(images, rate)
        write_video(video.frames(), Path(folder) / "again.mp4", like=video)
        yield np.stack([frame.rgb() for frame in FileVideo(Path(folder) / "again.mp4").frames()])
    for dx, dy in SHIFTS:
        yield np.roll(images, (dy, dx), axis=(1, 2))


def measure(source: np.ndarray, output: np.ndarray) -> dict[str, float]:
    apertures = lip_aperture(source), lip_aperture(output)
    return {
        "aperture r": lagged_correlation(*apertures, max_lag=2).at_zero,
        "lip motion %": float(np.nanmean(mouth_motion_distance(source, output))),
        "closures kept": closure_recall(*apertures).recall,
        "jitter": float(jitter_ratio(source, output)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["full", "ned"], choices=["full", "ned", "panels"])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    device = torch.device("cpu")
    models = default_face_models(device)
    request = ExpressionRequest(emotion="happy", strength=1.0)
    for name in arguments.sets:
        rows: dict[str, list[dict[str, float]]] = {}
        noises: list[dict[str, float]] = []
        for job in jobs(arguments.data, [name], arguments.seconds, arguments.pairs):
            own = track_faces(job.source, models=models)
            truth = landmarks_of((frame.rgb() for frame in job.source.frames()), models)
            result, pictures = {}, []
            ways = [way for way in job.ways if way in ("none", "blend", *arguments.ways)]
            for way in ways:
                config = EditConfig(request=request, editor=job.editor, **WAYS[way])
                work = edit(job.source, config, device=device, tracks=own)
                images = np.stack([frame.rgb() for frame in work.frames()])
                result[way] = measure(truth, landmarks_of(images, models, truth))
                rows.setdefault(way, []).append(result[way])
                if way == "none":
                    again = same_again(images, job.source.info.frame_rate)
                    wandered = [measure(truth, landmarks_of(copy, models, truth)) for copy in again]
                    noise = {key: max(abs(copy[key] - result[way][key]) for copy in wandered) for key in MEASURES}
                    noises.append(noise)
                picks = [int(m * len(images)) for m in MOMENTS]
                pictures.append([tile(images[i], truth[i], 240, way) for i in picks])
            line = "; ".join(f"{way} " + " ".join(f"{v:.3f}" for v in result[way].values()) for way in ways)
            print(f"{job.name}: {line}; noise " + " ".join(f"{v:.3f}" for v in noise.values()), flush=True)
            if arguments.out:
                save_strip(arguments.out / f"{name}_{job.name}.png", pictures)
        print(f"\n{name}\n\n| | {' | '.join(MEASURES)} | clips |\n|---|{'---|' * (len(MEASURES) + 1)}")
        for way, values in rows.items():
            medians = [float(np.nanmedian([value[key] for value in values])) for key in MEASURES]
            print(f"| {way} | {' | '.join(f'{m:.3f}' for m in medians)} | {len(values)} |")
        for key, more in MEASURES.items():
            triples = [(a[key], b[key], n[key]) for a, b, n in zip(rows["none"], rows["blend"], noises, strict=True)]
            triples = [values for values in triples if np.isfinite(values).all()]
            good = sum((b - a) * (1 if more else -1) >= -n - 1e-9 for a, b, n in triples)
            better = sum((b - a) * (1 if more else -1) > n for a, b, n in triples)
            print(f"{key}: blend at least as good as none on {good} of {len(triples)}, clearly better on {better}")
        print()


if __name__ == "__main__":
    main()
