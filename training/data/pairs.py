"""Paired training data (Section 3.3): an edited clip, and the real clip of the same words in the wished emotion.

For each neutral clip and each of the seven emotions an expression editor changes the neutral clip, driven by a clip of
the same person in that emotion. The supervision is the real clip in which the person says the same words in that
emotion, its frames laid onto the edited ones by dynamic time warping of the sound. Neutral is its own target.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thfem_core.device import resolve_device
from thfem_core.errors import InputError
from thfem_core.expression.editor import editors
from thfem_core.face.models import default_face_models
from thfem_core.face.tracking.tracker import track_faces
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.atomic import complete_file
from thfem_core.media.encoding import EncodingConfig
from thfem_core.media.open_video import open_video
from thfem_core.media.sound import Sound
from thfem_core.media.video import Video
from thfem_core.media.writer import write_video
from thfem_core.registry import Resources
from thfem_core.talking_head.face_crops import FaceCrops

from ..evaluation.pairs import Pair
from ..evaluation.systems import System, run_system
from ..stored import reading
from .contact_sheet import sheet, write_jpeg
from .layouts import DatasetClip
from .pair_alignment import align, read_alignment, speech_of
from .pair_files import read_facts
from .pair_plan import PairConfig, PairJob

SIZE = 256  # pixels of a face crop's side, as EAT and EAMM want it
_MARGIN = 1.5  # of the crop, as the talking heads' sessions cut it
_CLEAN = EncodingConfig(crf=8, preset="medium")


class OtherWords(InputError):
    """The sound of two clips is too different for the same words."""


@cache
def check_tools(config: PairConfig) -> torch.device:
    """The device, where this machine has it and the editor can be loaded. Raises ThfemError: no pair can be made."""
    device = resolve_device(config.device)
    if config.frames is None:
        editors.create(config.editor, resources=Resources(device=device))
    return device


@cache
def _face_models(device: str) -> Any:
    return default_face_models(resolve_device(device))


def face_crops(video: Video, device: str) -> tuple[np.ndarray, np.ndarray]:
    """The main face of a clip in every frame: (T, 256, 256, 3) uint8 and landmarks (T, 478, 3) in its pixels.

    Raises InputError where a frame has no face.
    """
    tracks = track_faces(video, models=_face_models(device)).tracks
    frames = list(video.frames())  # training clips are seconds long
    if not tracks:
        raise InputError(f"{video.info.name} shows no face")
    track = max(tracks, key=lambda t: t.stop_frame - t.first_frame)
    crops = FaceCrops(track, frame_rate=video.info.frame_rate, size=SIZE, margin=_MARGIN)
    landmarks = track.samples(0, len(frames)).landmarks.copy()
    pictures = []
    for number, frame in enumerate(frames):
        crop, picture = crops.at(number), crops.picture(frame)
        if crop is None or picture is None or not np.isfinite(landmarks[number]).all():
            raise InputError(f"frame {number} of {video.info.name} shows no face")
        pictures.append(picture)
        landmarks[number, :, :2] = crop.to_crop(landmarks[number, :, :2], SIZE)
        landmarks[number, :, 2] *= SIZE / crop.side
    return np.stack(pictures), landmarks.astype(np.float32)


def build_pair(job: PairJob) -> dict[str, Any]:
    """Make one pair, or find out why it cannot be; what is there is not made again.

    Returns:
        The facts that stand in ``pair.json``; with a "dropped" reason where there is no pair. Only that the words are
        others is remembered, with what was heard: whatever else is wrong can be mended.

    Raises:
        ThfemError: no other pair can be made either, or what was made is damaged.
    """
    folder, dropped = job.config.out / job.name, job.config.out / "dropped" / f"{job.name}.json"
    if (folder / "pair.json").exists():
        return read_facts(folder / "pair.json")
    facts: dict[str, Any] = {
        "name": job.name,
        "actor": job.source.actor,
        "emotion": job.target.emotion,
        "sentence": job.source.sentence,
        "split": job.split,
        "editor": job.config.editor,
        "settings": job.config.settings,
        **{role: getattr(job, role).name for role in ("source", "target", "driver")},
    }
    heard, verdict = _heard(job), _verdict(dropped)
    if verdict is not None and verdict["heard"] == heard:
        return verdict | facts
    check_tools(job.config)
    part = job.config.out / f".{job.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        facts |= _make(job, part)
        facts["files"] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(part.iterdir())}
        (part / "pair.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # without pair.json it was never finished
        part.replace(folder)
    except OtherWords as error:
        facts |= {"dropped": str(error), "heard": heard}
        dropped.parent.mkdir(exist_ok=True)
        with complete_file(dropped) as path:
            path.write_text(json.dumps(facts, indent=1), encoding="utf-8")
        return facts
    except InputError as error:
        facts["dropped"] = str(error)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    dropped.unlink(missing_ok=True)
    return facts


def _heard(job: PairJob) -> dict[str, Any] | None:
    """What a verdict on the words depends on; None where a file is missing or the frame map is given."""
    clips = (job.source, *(job.candidates or (job.target,)))
    files = [path for clip in clips for path in (clip.video, clip.sound) if path is not None]
    if _given_alignment(job) is not None or not all(path.is_file() for path in files):
        return None
    return {"max_cost": job.config.max_cost, "files": {str(path): path.stat().st_mtime_ns for path in files}}


def _verdict(path: Path) -> dict[str, Any] | None:
    """An earlier verdict that can be read."""
    try:
        with reading(path, remedy="delete it"):
            facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            facts["dropped"], facts["heard"]["files"]
    except InputError:
        return None
    return facts


def _make(job: PairJob, folder: Path) -> dict[str, Any]:
    config = job.config
    job, frame_map, cost = _aligned(job)
    if cost > config.max_cost:
        raise OtherWords(f"the warping costs {cost:.1f} per step, more than {config.max_cost:g}: other words, or noise")
    whole = folder / "whole.mp4"
    system = System(name="pairs", editor=config.editor, by_label=config.by_label, frames=config.frames)
    wish = Pair(setting="intra", source=job.source, reference=job.driver)
    run_system(system, wish, whole, device=check_tools(config))
    edited, edited_landmarks = face_crops(open_video(whole), config.device)
    whole.unlink()
    real, real_landmarks = face_crops(open_video(job.target.video), config.device)
    count = len(edited)
    if len(frame_map) != count or frame_map[-1] >= len(real):
        raise InputError(
            f"the frame map has {len(frame_map)} frames up to {frame_map[-1]}, the clips {count}, {len(real)}"
        )
    rate = open_video(job.source.video).info.frame_rate
    speech = speech_of(job.source)
    samples = (np.clip(speech.samples, -1, 1) * 32767).astype(np.int16)
    sound = Sound(np.asarray(speech.samples, np.float32)[None], speech.sample_rate)
    for name, pictures in (("edited", edited), ("target", real[frame_map])):
        clip = ArrayVideo(pictures, rate, sound=sound)
        write_video(clip.frames(), folder / f"{name}.mp4", like=clip, encoding=_CLEAN)
    np.savez_compressed(
        folder / "pair.npz",
        frame_map=frame_map,
        speech=samples,
        edited_landmarks=edited_landmarks,
        target_landmarks=real_landmarks[frame_map],
    )
    write_jpeg(folder / "sheet.jpg", sheet([edited, real[frame_map]]))
    facts = {"frames": count, "frame_rate": str(rate), "mean_cost": cost}
    return facts | {"target": job.target.name, "driver": job.driver.name}


def _aligned(job: PairJob) -> tuple[PairJob, np.ndarray, float]:
    """The job with its target found, the frame map, and the mean cost."""
    given = _given_alignment(job)
    if given is not None:
        return job, read_alignment(given), 0.0
    if job.target == job.source:
        video = open_video(job.source.video)
        return job, np.arange(video.info.frame_count or sum(1 for _ in video.frames())), 0.0
    if not job.candidates:
        return job, *align(job.source, job.target)
    found: list[tuple[float, DatasetClip, np.ndarray]] = []
    for clip in job.candidates:
        frame_map, cost = align(job.source, clip)
        found.append((cost, clip, frame_map))
    cost, target, frame_map = min(found, key=lambda item: item[0])
    return replace(job, target=target, driver=target), frame_map, cost


def _given_alignment(job: PairJob) -> Path | None:
    folder = job.config.alignments
    files = [] if folder is None else [folder / f"{job.name}{suffix}" for suffix in (".json", ".npy", ".txt")]
    return next((path for path in files if path.exists()), None)
