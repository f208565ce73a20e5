"""Clips made ready for training: the face track, mouth regions, sound, and how well lips and sound agree."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from thfem_core.errors import InputError, ThfemError
from thfem_core.face.crop import crop_frame
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.mesh.lip_motion import lip_aperture
from thfem_core.face.models import default_face_models
from thfem_core.face.pose import head_pose
from thfem_core.face.tracking.tracker import track_faces
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import join_sound
from thfem_core.talking_head.mouth.region import MARGIN, WIDE_PIXELS, mouth_regions

from ..stored import reading

SAMPLE_RATE = 16000
FRAME_RATE = Fraction(25)
MIN_FRAMES = 24
MAX_LAG = 8  # frames
STRICTEST = ("test", "val", "train")


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedClip:
    """One clip of one person, T frames at 25 per second, all with a face.

    Attributes:
        name: of its file.
        identity: who speaks.
        split: "train", "val" or "test", by person.
        origin: where the clip comes from.
        landmarks: (T, 478, 3) pixels, smoothed.
        speech: (N,) int16 at 16 kHz, sample 0 at frame 0; empty if silent.
        sync: highest correlation of lip aperture with loudness over lags of ±8 frames.
        lag: frames at which it is reached, positive where the sound comes late.
        regions: (T, 168, 168, 3) uint8 mouth regions with margin, or None.
    """

    name: str
    identity: str
    split: str
    origin: str
    landmarks: np.ndarray
    speech: np.ndarray
    sync: float
    lag: int
    regions: np.ndarray | None


def read_clip(path: Path) -> PreparedClip:
    """A prepared clip; its regions stay on disk until looked at. Raises InputError where a file is damaged."""
    regions = path.with_suffix(".regions.npy")
    with reading(path, remedy="delete it and run python -m training.build_dataset again"), np.load(path) as stored:
        landmarks = stored["landmarks"]
        if landmarks.shape[1:] != (478, 3) or not np.isfinite(landmarks).all():
            raise ValueError(f"its landmarks are {landmarks.shape}, or no numbers")
        return PreparedClip(
            name=path.stem,
            identity=str(stored["identity"]),
            split=str(stored["split"]),
            origin=str(stored["origin"]),
            landmarks=landmarks,
            speech=stored["speech"],
            sync=float(stored["sync"]),
            lag=int(stored["lag"]),
            regions=np.load(regions, mmap_mode="r") if regions.exists() else None,
        )


def synchrony(aperture: np.ndarray, speech: np.ndarray) -> tuple[float, int]:
    """Highest correlation of lip aperture (T,) with loudness (dB) over ±8 frames, and its lag. 0, 0 if silent."""
    count = len(aperture)
    step = SAMPLE_RATE // int(FRAME_RATE)
    if len(speech) < count * step // 2:
        return 0.0, 0
    padded = np.pad(speech.astype(np.float32) / 32768, (0, max(0, count * step - len(speech))))[: count * step]
    loud = 10 * np.log10(np.square(padded.reshape(count, step)).mean(axis=1) + 1e-6)
    best, best_lag = -1.0, 0
    for lag in range(-MAX_LAG, MAX_LAG + 1):
        a = aperture[max(0, -lag) : count - max(0, lag)]
        b = loud[max(0, lag) : count - max(0, -lag)]
        if a.std() > 1e-3 and b.std() > 1e-3 and (r := float(np.corrcoef(a, b)[0, 1])) > best:
            best, best_lag = r, lag
    return max(best, 0.0), best_lag


def prepare(source: Path, out: Path, row: dict[str, str], with_regions: bool) -> str | None:
    """Track and store one clip.

    Args:
        source: the video, 25 frames per second.
        out: ``.npz`` file to write; the regions go beside it.
        row: of the index: identity, split and, if there, has_sound and origin.
        with_regions: whether mouth regions are kept too.

    Returns:
        Why it was skipped, or None.

    Raises:
        InputError: ``source`` is no video.
    """
    video = FileVideo(source)
    if video.info.frame_rate != FRAME_RATE:
        return f"{float(video.info.frame_rate):g} frames per second; convert it to {FRAME_RATE}"
    frames = list(video.frames())  # training clips are seconds long
    models = default_face_models(torch.device("cpu"))
    pictures = np.stack([frame.rgb() for frame in frames])
    tracks = track_faces(ArrayVideo(pictures, frame_rate=FRAME_RATE), models=models)
    if not tracks.tracks:
        return "no face"
    track = max(tracks.tracks, key=lambda t: t.stop_frame - t.first_frame)
    samples = track.samples(0, len(frames))
    seen = np.flatnonzero(np.isfinite(samples.landmarks[:, 0, 0]))
    first, stop = (int(seen[0]), int(seen[-1]) + 1) if len(seen) else (0, 0)
    if stop - first < MIN_FRAMES or len(seen) < stop - first:
        return f"a face in only {len(seen)} of {len(frames)} frames"
    landmarks = samples.landmarks[first:stop].astype(np.float32)
    speech = np.zeros(0, np.int16)
    if row.get("has_sound", "1") == "1" and (sound := join_sound(video.sound_blocks(warn=lambda _: None))) is not None:
        mono = sound.mono().resampled(SAMPLE_RATE).samples[0]
        begin, end = (int(i * SAMPLE_RATE / FRAME_RATE) for i in (first, stop))
        speech = (np.clip(mono[begin:end], -1, 1) * 32767).astype(np.int16)
    sync, lag = synchrony(lip_aperture(landmarks), speech)
    if with_regions:
        regions = cut_regions(pictures[first:stop], landmarks)
        write_beside(out.with_suffix(".regions.npy"), lambda file: np.save(file, regions))
    write_beside(
        out,
        lambda file: np.savez(
            file,
            landmarks=landmarks,
            speech=speech,
            sync=sync,
            lag=lag,
            identity=row["identity"],
            split=row["split"],
            origin=row.get("origin", ""),
        ),
    )
    return None


def cut_regions(pictures: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """(T, 168, 168, 3) uint8 mouth regions with margin, of pictures (T, H, W, 3) and landmarks in their pixels."""
    crops = mouth_regions(head_pose(landmarks, canonical_mesh()), margin=MARGIN)
    frames = ArrayVideo(pictures, frame_rate=FRAME_RATE).frames()
    return np.stack([crop_frame(frame, crop, WIDE_PIXELS) for frame, crop in zip(frames, crops, strict=True)])


def write_beside(path: Path, save: Callable[[BinaryIO], None]) -> None:
    """Write beside and rename: an interrupted run leaves no half file that the next would trust."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        save(file)
    os.replace(part, path)


def prepare_job(job: tuple[Path, Path, dict[str, str], bool]) -> tuple[str, str | None]:
    """:func:`prepare` of its arguments → name of the clip, and why it was skipped, or None."""
    try:
        return job[0].name, prepare(*job)
    except ThfemError as error:
        return job[0].name, str(error)


def read_index(data: Path, splits: list[str]) -> list[dict[str, str]]:
    """Rows of the wanted splits. A person listed in several splits counts as unseen: test before val before train.

    Raises InputError where the index is missing or lacks something.
    """
    path = data / "index.csv"
    if not path.exists():
        raise InputError(f"{path} is missing; it must list the clips with the columns file, identity and split")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows, start=2):
        lacking = [name for name in ("file", "identity", "split") if not row.get(name)]
        if lacking or row["split"] not in STRICTEST:
            problem = f"has no {lacking[0]}" if lacking else f"has the split {row['split']!r}"
            raise InputError(
                f"line {number} of {path} {problem}; give file, identity and split ({', '.join(STRICTEST)})"
            )
    of_person: dict[str, str] = {}
    for row in rows:
        known = of_person.get(row["identity"], row["split"])
        of_person[row["identity"]] = min(row["split"], known, key=STRICTEST.index)
    rows = [{**row, "split": of_person[row["identity"]]} for row in rows]
    return [row for row in rows if row["split"] in splits]
