"""Paired training data (Section 3.3): an edited clip, and the real clip of the same words in the wished emotion.

For each neutral clip and each of the seven emotions an expression editor changes the neutral clip, driven by a clip of
the same person in that emotion. The supervision is the real clip in which the person says the same words in that
emotion, its frames laid onto the edited ones by dynamic time warping of the sound. Neutral is its own target.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thfem_core.alignment.clips import speech_features
from thfem_core.alignment.dtw import dtw_path
from thfem_core.alignment.pauses import quiet_frames, with_even_pauses
from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError, ThfemError
from thfem_core.expression.request import EMOTIONS, Emotion
from thfem_core.face.models import default_face_models
from thfem_core.face.tracking.tracker import track_faces
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.encoding import EncodingConfig
from thfem_core.media.open_video import open_video
from thfem_core.media.sound import Sound
from thfem_core.media.sound_file import read_sound
from thfem_core.media.video import Video
from thfem_core.media.writer import write_video
from thfem_core.talking_head.face_crops import FaceCrops

from ..evaluation.pairs import Pair, held_out_clips
from ..evaluation.systems import System, run_system
from .contact_sheet import sheet, write_jpeg
from .layouts import DatasetClip

SIZE = 256  # pixels of a face crop's side, as EAT and EAMM want it
_MARGIN = 1.5  # of the crop, as the talking heads' sessions cut it
_CLEAN = EncodingConfig(crf=8, preset="medium")


@dataclass(frozen=True, kw_only=True, slots=True)
class PairConfig:
    """How pairs are made.

    Attributes:
        out: folder of all pairs.
        editor: of the registry.
        by_label: edit to the emotion's label instead of the driver clip.
        frames: for the editor "frames", the folder of another system's results (see training.evaluation.systems).
        max_cost: largest mean cost per step of a warping whose clips can have the same words; L1 over 13 cepstra.
        search: look for the same words by the sound among all clips of the person and emotion, whatever sentence they
            are said to have; of those, the cheapest warping counts.
        alignments: folder of frame maps made elsewhere (see :func:`read_alignment`); those that are there are taken.
        device: "cpu" or "cuda".
    """

    out: Path
    editor: str = "mesh"
    by_label: bool = False
    frames: Path | None = None
    max_cost: float = 110.0
    search: bool = False
    alignments: Path | None = None
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True, slots=True)
class PairJob:
    """What becomes one pair.

    Attributes:
        config: of all pairs.
        source: neutral clip that is edited.
        target: real clip with its words in the wished emotion; the source itself for neutral.
        candidates: clips among which the target is looked for by the sound; empty where it is known.
        driver: clip of the same person that shows the emotion to the editor.
        split: "train", or "val" where a clip is held out for testing.
    """

    config: PairConfig
    source: DatasetClip
    target: DatasetClip
    driver: DatasetClip
    split: str
    candidates: tuple[DatasetClip, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.source.name}__{self.target.emotion}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingPair:
    """A finished pair of T frames.

    Attributes:
        folder: where ``edited.mp4`` and ``target.mp4`` lie, 256 × 256 face crops of T frames each.
        actor: the person.
        emotion: wished.
        split: "train" or "val".
        frame_rate: of both clips.
        frame_map: int (T,), which frame of the real clip each target is.
        mean_cost: of the warping, per step.
        speech: int16 (N,) at 16 kHz, of the edited clip.
        edited_landmarks: (T, 478, 3) in pixels of the crops.
        target_landmarks: the same of the targets.
    """

    folder: Path
    actor: str
    emotion: Emotion
    split: str
    frame_rate: Fraction
    frame_map: np.ndarray
    mean_cost: float
    speech: np.ndarray
    edited_landmarks: np.ndarray
    target_landmarks: np.ndarray

    def pictures(self, side: str) -> np.ndarray:
        """(T, 256, 256, 3) uint8 of ``edited`` or ``target``."""
        return np.stack([frame.rgb() for frame in open_video(self.folder / f"{side}.mp4").frames()])


def plan_pairs(clips: Sequence[DatasetClip], config: PairConfig) -> tuple[list[PairJob], list[str]]:
    """Every neutral clip towards each of the seven emotions.

    Returns:
        The jobs, and a line for each wish without a real clip of the same words.
    """
    held_out = set(held_out_clips(clips))
    jobs, lacking = [], []
    for source in (clip for clip in clips if clip.emotion == "neutral"):
        for emotion in EMOTIONS:
            shown = [clip for clip in clips if (clip.actor, clip.emotion) == (source.actor, emotion)]
            same_words = [clip for clip in shown if config.search or clip.sentence == source.sentence]
            if not same_words:
                lacking.append(f"{source.name} to {emotion}: {source.actor} says these words in no such clip")
                continue
            neutral = emotion == "neutral"
            target = source if neutral else same_words[0]
            others = [clip for clip in shown if clip is not source]
            split = "val" if {source, target} & held_out else "train"
            driver = others[0] if neutral and others else target
            candidates = tuple(same_words) if config.search and not neutral else ()
            jobs.append(
                PairJob(config=config, source=source, target=target, driver=driver, split=split, candidates=candidates)
            )
    return jobs, lacking


@cache
def _face_models(device: str) -> Any:
    return default_face_models(torch.device(device))


def speech_of(clip: DatasetClip) -> Speech:
    """The speech of a clip, from its own sound file where it has one. Raises InputError where there is none."""
    if clip.sound is not None:
        sound = read_sound(clip.sound)
        speech = None if sound is None else Speech.from_sound(sound)
    else:
        speech = Speech.from_video(open_video(clip.video))
    if speech is None or not speech.level:
        raise InputError(f"{clip.name} has no sound to align by; add it to the video or beside it")
    return speech


def align(source: DatasetClip, target: DatasetClip) -> tuple[np.ndarray, float]:
    """For each frame of ``source`` the frame of ``target`` in which the same is said, and the mean cost per step.

    MFCC at the first sample of each frame, L1 cost, steps diagonal, up, left, first match; pauses run evenly.
    """
    rows, quiet = [], []
    for clip in (source, target):
        video, speech = open_video(clip.video), speech_of(clip)
        count = video.info.frame_count or sum(1 for _ in video.frames())
        rows.append(speech_features(speech, video.info.frame_rate, count, features="mfcc"))
        quiet.append(quiet_frames(speech, video.info.frame_rate, count))
    path = dtw_path(*rows)
    return with_even_pauses(path, *quiet), path.mean_cost


def read_alignment(path: Path) -> np.ndarray:
    """A frame map made elsewhere.

    Args:
        path: ``.npy`` or ``.json`` with one target frame per source frame, or with (source, target) frames of each step
            of a warping path, of which the first match of each source frame counts; ``.txt`` with one step per line.

    Raises:
        InputError: the file holds something else.
    """
    try:
        if path.suffix == ".npy":
            steps = np.load(path, allow_pickle=False)
        elif path.suffix == ".json":
            steps = np.array(json.loads(path.read_text(encoding="utf-8")))
        else:
            steps = np.loadtxt(path, ndmin=2, delimiter="," if "," in path.read_text(encoding="utf-8") else None)
        steps = steps[:, 0] if steps.ndim == 2 and steps.shape[1] == 1 else steps
        if steps.ndim == 2:
            frames, first = np.unique(steps[:, 0], return_index=True)
            if not np.array_equal(frames, np.arange(len(frames))):
                raise ValueError("source frames are missing")
            steps = steps[first, 1]
        frame_map = np.asarray(steps, np.int64)
        if frame_map.ndim != 1 or not len(frame_map) or frame_map.min() < 0 or np.any(np.diff(frame_map) < 0):
            raise ValueError("it must not go back")
    except (ValueError, OSError, IndexError) as error:
        raise InputError(
            f"{path} is no alignment of frames ({error}); see training.data.pairs.read_alignment"
        ) from None
    return frame_map


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
        The facts that stand in ``pair.json``; with a "dropped" reason where there is no pair.
    """
    folder, dropped = job.config.out / job.name, job.config.out / "dropped" / f"{job.name}.json"
    for known in (folder / "pair.json", dropped):
        if known.exists():
            return json.loads(known.read_text(encoding="utf-8"))
    part = job.config.out / f".{job.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    facts: dict[str, Any] = {
        "name": job.name,
        "actor": job.source.actor,
        "emotion": job.target.emotion,
        "sentence": job.source.sentence,
        "split": job.split,
        "editor": job.config.editor,
        **{role: getattr(job, role).name for role in ("source", "target", "driver")},
    }
    try:
        facts |= _make(job, part)
    except ThfemError as error:
        facts["dropped"] = str(error)
        shutil.rmtree(part)
        dropped.parent.mkdir(exist_ok=True)
        beside = dropped.with_suffix(".part")
        beside.write_text(json.dumps(facts, indent=1), encoding="utf-8")
        beside.replace(dropped)
        return facts
    facts["files"] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(part.iterdir())}
    (part / "pair.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)  # without pair.json it was never finished
    part.replace(folder)
    return facts


def _make(job: PairJob, folder: Path) -> dict[str, Any]:
    config = job.config
    job, frame_map, cost = _aligned(job)
    if cost > config.max_cost:
        raise InputError(f"the warping costs {cost:.1f} per step, more than {config.max_cost:g}: other words, or noise")
    whole = folder / "whole.mp4"
    system = System(name="pairs", editor=config.editor, by_label=config.by_label, frames=config.frames)
    wish = Pair(setting="intra", source=job.source, reference=job.driver)
    run_system(system, wish, whole, device=torch.device(config.device))
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
    if job.config.alignments is not None:
        for path in sorted(job.config.alignments.glob(f"{job.name}.*")):
            return job, read_alignment(path), 0.0
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


def read_pairs(folder: Path, split: str | None = None) -> list[TrainingPair]:
    """The finished pairs of a folder. Raises InputError where there are none."""
    pairs = []
    for path in sorted(folder.glob("*/pair.json")):
        facts = json.loads(path.read_text(encoding="utf-8"))
        if split is not None and facts["split"] != split:
            continue
        with np.load(path.with_name("pair.npz")) as arrays:
            pairs.append(
                TrainingPair(
                    folder=path.parent,
                    actor=facts["actor"],
                    emotion=facts["emotion"],
                    split=facts["split"],
                    frame_rate=Fraction(facts["frame_rate"]),
                    mean_cost=facts["mean_cost"],
                    **dict(arrays),
                )
            )
    if not pairs:
        raise InputError(f"no {split or ''} pairs in {folder}; make them with python -m training.build_pairs")
    return pairs


def write_manifest(config: PairConfig, facts: Iterable[dict[str, Any]], lacking: Sequence[str]) -> Path:
    """``manifest.json``: how the pairs were made, every pair with the hashes of its files, and what is missing."""
    rows = sorted(facts, key=lambda row: row["name"])
    manifest = {
        "config": {name: str(value) for name, value in asdict(config).items()},
        "pairs": [row for row in rows if "dropped" not in row],
        "dropped": [row for row in rows if "dropped" in row],
        "lacking": list(lacking),
    }
    path = config.out / "manifest.json"
    part = path.with_suffix(".part")
    part.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    part.replace(path)
    return path
