"""What the second stage adds: speech in the lips with and without the talking head.

    python -m benchmarks.speech_restored --data DIR [--sets full ned] [--seconds 4] [--pairs 12] [--out DIR]

full: clips of full/, edited to happy by the mesh editor. ned: NED's published frames (ned_pairs/), which another system
edited; their lips are compared with those of NED's own source clip. Each with --talking-head none and with mouth, drive
blend and original (and audio where there is sound). Landmarks are fitted anew to every output. Medians over clips, and
on how many clips "blend" is at least as good as none. With --out: a picture per clip, four moments, one row per way.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from thfem_core.expression.frames import FramesEditor
from thfem_core.expression.request import ExpressionRequest
from thfem_core.face.models import face_models
from thfem_core.face.track import FaceTracks
from thfem_core.face.tracker import track_faces
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.video import Video
from thfem_core.metrics.jitter import jitter_ratio
from thfem_core.metrics.lip_motion import (
    closure_recall,
    lagged_correlation,
    lip_aperture,
    mouth_motion_distance,
)
from thfem_core.pipeline import edit_video

from .strips import save_strip, tile

MOMENTS = (0.2, 0.4, 0.6, 0.8)
WAYS: dict[str, dict[str, str | None]] = {
    "none": {"talking_head": None},
    "blend": {"talking_head": "mouth", "drive": "blend"},
    "original": {"talking_head": "mouth", "drive": "original"},
    "audio": {"talking_head": "mouth", "drive": "audio"},
}
# Measures, and whether more is better.
MEASURES = {"aperture r": True, "lip motion %": False, "closures kept": True, "jitter": False}
# Differences below this are fits of landmarks wobbling, not lips.
NOISE = {"aperture r": 0.01, "lip motion %": 0.05, "closures kept": 0.001, "jitter": 0.05}


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    source: Video
    editor: str | FramesEditor
    ways: tuple[str, ...]


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
            source = FileVideo(path.with_name(path.name.replace("_NED", "_source")), duration=length)
            edited = FileVideo(path, duration=length)
            yield Job(path.stem, source, FramesEditor(edited=edited), ("none", "blend", "original"))


def landmarks_of(tracks: FaceTracks, frames: int) -> np.ndarray:
    """(frames, 478, 3) of the largest faces; NaN elsewhere."""
    out = np.full((frames, 478, 3), np.nan, np.float32)
    for track in tracks.select("largest"):
        samples = track.samples(0, frames)
        seen = samples.weight > 0
        out[seen] = samples.landmarks[seen]
    return out


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
    parser.add_argument("--sets", nargs="+", default=["full", "ned"], choices=["full", "ned"])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--window", type=int, default=5)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    device = torch.device("cpu")
    models = face_models.load("mediapipe")(device=device)
    request = ExpressionRequest(emotion="happy", strength=1.0)
    for name in arguments.sets:
        rows: dict[str, list[dict[str, float]]] = {}
        for job in jobs(arguments.data, [name], arguments.seconds, arguments.pairs):
            own = track_faces(job.source, models=models)
            count = own.frame_count
            truth = landmarks_of(own, count)
            result = {}
            pictures = []
            for way in job.ways:
                frames = edit_video(job.source, request, device=device, editor=job.editor, tracks=own, **WAYS[way])
                images = np.stack([frame.rgb() for frame in frames])
                rate = job.source.info.frame_rate
                tracks = track_faces(ArrayVideo(images, frame_rate=rate), models=models)
                result[way] = measure(truth, landmarks_of(tracks, count))
                rows.setdefault(way, []).append(result[way])
                picks = [int(m * count) for m in MOMENTS]
                pictures.append([tile(images[i], truth[i], 240, way) for i in picks])
            line = "; ".join(f"{way} " + " ".join(f"{v:.3f}" for v in result[way].values()) for way in job.ways)
            print(f"{job.name}: {line}", flush=True)
            if arguments.out:
                save_strip(arguments.out / f"{name}_{job.name}.png", pictures)
        print(f"\n{name}\n\n| | {' | '.join(MEASURES)} | clips |\n|---|{'---|' * (len(MEASURES) + 1)}")
        for way, values in rows.items():
            medians = [float(np.nanmedian([value[key] for value in values])) for key in MEASURES]
            print(f"| {way} | {' | '.join(f'{m:.3f}' for m in medians)} | {len(values)} |")
        for key, more in MEASURES.items():
            pairs = [(a[key], b[key]) for a, b in zip(rows["none"], rows["blend"], strict=True)]
            pairs = [(a, b) for a, b in pairs if np.isfinite([a, b]).all()]
            good = sum((b - a) * (1 if more else -1) >= -NOISE[key] for a, b in pairs)
            print(f"{key}: blend at least as good as none on {good} of {len(pairs)}")
        print()


if __name__ == "__main__":
    main()
