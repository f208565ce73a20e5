"""Do the measures move when they should, and only then? Clips against copies with one damage each.

    python -m benchmarks.metric_sanity --data DIR --judges judges [--clips 8] [--seconds 3] [--drives] [--keep FOLDER]
                                       [--values FILE.json]

Prints the median over the clips, one per person of the test split. Damages: none (encoded again), lips frozen, sound
five frames late, face blurred, another person's face on the same mesh, expression edited. --drives adds the whole
pipeline: the edit with the mouth model behind it, driven by the sound, by the original lips, and by both. --keep leaves
the clips for the eye. --values keeps every number; what is in it already is not measured again.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np
import torch
from scipy.interpolate import LinearNDInterpolator

from thfem_core.expression.request import ExpressionRequest
from thfem_core.face.mesh.alignment import similarity
from thfem_core.face.mesh.topology import FACE_OVAL, OUTER_EYE_CORNERS, OUTER_LIPS
from thfem_core.face.models import FaceModels, default_face_models
from thfem_core.face.pose import RIGID_POINTS
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.encoding import EncodingConfig
from thfem_core.media.file_video import FileVideo
from thfem_core.media.frame import Frame
from thfem_core.media.sound import Sound, join_sound
from thfem_core.media.writer import write_video
from thfem_core.metrics.comparison import compare_clips
from thfem_core.metrics.face_follower import FaceFollower
from thfem_core.metrics.judges.choosing import Judges, choose_judges
from thfem_core.metrics.visual_pass import ComparisonConfig
from thfem_core.pipeline import EditConfig, edit
from thfem_core.talking_head.head import Drive

from .judge import markdown_table, median

CPU = torch.device("cpu")
LATE = 5  # frames
Pictures = list[tuple[np.ndarray, np.ndarray]]  # (picture, landmarks) per frame
Damage = Callable[[Pictures, Pictures], Iterator[np.ndarray]]


def chosen_clips(data: Path, count: int) -> list[Path]:
    """The clips of unseen people whose lips and sound go together best, one per person."""
    with (data / "index.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test" and row["has_sound"] == "1"]
    rows = [row for row in rows if float(row["duration_s"]) >= 3 and abs(float(row["lag_frames"] or 9)) <= 1]
    rows.sort(key=lambda row: -float(row["mouth_audio_corr"] or 0))
    by_person: dict[str, Path] = {}
    for row in rows:
        by_person.setdefault(row["identity"], data / "crops" / Path(row["file"]).name)
    return list(by_person.values())[:count]


def with_landmarks(path: Path, faces: FaceModels, seconds: Fraction) -> Pictures:
    follower = FaceFollower(faces)
    return [(frame.rgb(), follower.fit(frame)) for frame in FileVideo(path, duration=seconds).frames()]


def unchanged(clip: Pictures, other: Pictures) -> Iterator[np.ndarray]:
    yield from (picture for picture, _ in clip)


def frozen_lips(clip: Pictures, other: Pictures) -> Iterator[np.ndarray]:
    """The first frame's mouth on every frame, moved with the head."""
    first, points = clip[0]
    for picture, here in clip:
        if not np.isfinite(here[0, 0]):
            yield picture
            continue
        matrix, offset = similarity(points[None, RIGID_POINTS, :2].astype(float), here[None, RIGID_POINTS, :2])
        carried = points[:, :2] @ matrix[0].T + offset[0]
        to_frame = np.hstack([matrix[0], offset[0, :, None]])
        still = cv2.warpAffine(first, to_frame, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        yield blended(picture, still, enlarged(carried[list(OUTER_LIPS)], 1.7), unit_of(here))


def blurred_face(clip: Pictures, other: Pictures) -> Iterator[np.ndarray]:
    for picture, here in clip:
        if np.isfinite(here[0, 0]):
            soft = cv2.GaussianBlur(picture, (0, 0), 0.04 * unit_of(here))
            picture = blended(picture, soft, here[list(FACE_OVAL), :2], unit_of(here))
        yield picture


def other_face(clip: Pictures, other: Pictures) -> Iterator[np.ndarray]:
    """The other person's skin on this person's moving mesh: identity goes, geometry and lips stay."""
    skin, points = next((p, q) for p, q in other if np.isfinite(q[0, 0]))
    for picture, here in clip:
        if not np.isfinite(here[0, 0]):
            yield picture
            continue
        height, width = picture.shape[:2]
        x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        place = LinearNDInterpolator(here[:468, :2], points[:468, :2], fill_value=-1)(x, y).astype(np.float32) - 0.5
        worn = cv2.remap(skin, place[..., 0], place[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        yield blended(picture, worn, enlarged(here[list(FACE_OVAL), :2], 0.95), unit_of(here))


DAMAGES: dict[str, Damage] = {
    "encoded again": unchanged,
    "lips frozen": frozen_lips,
    "sound 5 frames late": unchanged,
    "face blurred": blurred_face,
    "another face": other_face,
}
EDITED = "edited to happy"
DRIVEN = {f"happy + mouth ({drive})": drive for drive in get_args(Drive)}


def unit_of(points: np.ndarray) -> float:
    return float(np.linalg.norm(points[OUTER_EYE_CORNERS[0], :2] - points[OUTER_EYE_CORNERS[1], :2]))


def enlarged(outline: np.ndarray, factor: float) -> np.ndarray:
    return outline.mean(axis=0) + factor * (outline - outline.mean(axis=0))


def blended(picture: np.ndarray, new: np.ndarray, outline: np.ndarray, unit: float) -> np.ndarray:
    mask = np.zeros(picture.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(outline - 0.5).astype(np.int32)), 1.0)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.05 * unit)[..., None]
    return np.rint(picture + soft * (new.astype(np.float32) - picture)).astype(np.uint8)


def damaged_file(name: str, path: Path, clip: Pictures, other: Pictures, video: FileVideo, folder: Path) -> Path:
    """The clip with one damage, written with its sound."""
    rate = video.info.frame_rate
    sound: Sound | Literal["source"] = "source"
    frames: Iterator[Frame]
    if name == EDITED or name in DRIVEN:
        config = EditConfig(
            request=ExpressionRequest(emotion="happy"),
            talking_head="mouth" if name in DRIVEN else None,
            drive=DRIVEN.get(name, "blend"),
        )
        frames = edit(video, config, device=CPU).frames()
    else:
        pictures = DAMAGES[name](clip, other)
        frames = (ArrayFrame(index=i, time=i / rate, pixels=picture) for i, picture in enumerate(pictures))
    whole = join_sound(video.sound_blocks())
    if "late" in name and whole is not None:
        shift = round(LATE / rate * whole.sample_rate)
        sound = Sound(np.pad(whole.samples, ((0, 0), (shift, 0)))[:, : whole.samples.shape[1]], whole.sample_rate)
    output = folder / f"{path.stem}_{name.replace(' ', '_')}.mp4"
    write_video(frames, output, like=video, sound=sound, encoding=EncodingConfig(crf=10))
    return output


Values = dict[str, dict[str, dict[str, float]]]  # clip, damage, measure


def measured(source: FileVideo, output: FileVideo, faces: FaceModels, judges: Judges) -> dict[str, float]:
    """Every measure of every judge, by its key and who took it."""
    config = ComparisonConfig(every=10, pixels_every=10)
    compared = compare_clips(source, output, faces=faces, judges=judges, target_emotion="happy", config=config)
    found = [pair for family in compared.families for pair in family.values]
    return {f"{value.measure.key} {network}".strip(): value.value for network, value in found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--judges", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--seconds", type=Fraction, default=Fraction(3))
    parser.add_argument("--drives", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--values", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    faces = default_face_models(CPU)
    judges, _ = choose_judges("offline", device=CPU, folders=[args.judges])
    paths = chosen_clips(args.data, args.clips)
    names = ("itself", *DAMAGES, EDITED, *(DRIVEN if args.drives else ()))
    values: Values = {}
    if args.values is not None and args.values.exists():
        values = json.loads(args.values.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        other = with_landmarks(paths[-1], faces, Fraction(1, 5))
        for path in paths:
            done = values.setdefault(path.stem, {})
            missing = [name for name in names if name not in done]
            clip = with_landmarks(path, faces, args.seconds) if missing else []
            video = FileVideo(path, duration=args.seconds)
            for name in missing:
                output = video
                if name != "itself":
                    output = FileVideo(damaged_file(name, path, clip, other, video, folder))
                done[name] = measured(video, output, faces, judges)
                if args.values is not None:
                    args.values.write_text(json.dumps(values, indent=1), encoding="utf-8")
            other = clip or other
    chosen = [values[path.stem] for path in paths]
    columns = dict.fromkeys(column for clip in chosen for found in clip.values() for column in found)
    rows = [
        (column, *(f"{median([clip[name][column] for clip in chosen if column in clip[name]]):.3g}" for name in names))
        for column in columns
    ]
    print(f"Median of {len(paths)} clips of {float(args.seconds):g} s: {', '.join(path.stem for path in paths)}\n")
    print(markdown_table(("measure", *names), rows))


if __name__ == "__main__":
    main()
