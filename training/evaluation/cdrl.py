"""The paper group's protocol on finished results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from math import isfinite, nan
from pathlib import Path
from typing import cast

import numpy as np

from thfem_core.device import resolve_device
from thfem_core.errors import InputError
from thfem_core.media.atomic import complete_file
from thfem_core.media.open_video import open_video
from thfem_core.media.picture_file import read_image
from thfem_core.metrics.cdrl import measures
from thfem_core.metrics.cdrl.models import CdrlNetworks, load_networks
from thfem_core.metrics.cdrl.protocol import NED_PUBLISHED, RATE, Dataset
from thfem_core.metrics.frechet import FeatureSpread
from thfem_core.registry import Resources

from ..data.layouts import DatasetClip
from ..data.pair_alignment import speech_of
from ..data.pairs import face_crops
from ..stored import reading
from .results import AVERAGE, Results, mean_of, no_result
from .tables import Table, shown

NUMBERS = "cdrl.json"
# Beside ours under names of their own: the same letters stand for other networks, crops and pairings.
LABELS = ("FAD (cdrl)↓", "LSE-D (cdrl)↓", "CSIM (cdrl)↑")
_ROW = ("system", "setting", "emotion", "fad", "lse_d", "csim")
SKIPPED = 2  # frames of a source that have no picture, as in NED


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureSource:
    """Pictures of one clip's face.

    Attributes:
        path: a folder of 256 × 256 pictures, taken as they are, or a video, whose face is cut out at 30 per second.
        sound: clip whose sound the lips are compared with, from its third frame on; None for none.
        skipped: so many pictures at the beginning are left out, so that the first shows the third frame.
    """

    path: Path
    sound: DatasetClip | None = None
    skipped: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class EmotionJob:
    """All test clips of a system, setting and emotion.

    Attributes:
        generated: the clips of each actor, in the protocol's order of actors.
        real: real clips of the same actors in the wished emotion.
        margin: pixels that LSE-D cuts off each side: 35, or 0 for RAVDESS.
        models: folders of the networks' files.
        device: where they run.
        seed: of CSIM's draw.
    """

    system: str
    setting: str
    emotion: str
    generated: dict[str, tuple[PictureSource, ...]]
    real: dict[str, tuple[PictureSource, ...]]
    margin: int = 35
    models: tuple[Path, ...] = field(default=())
    device: str = "cpu"
    seed: int = 1


@cache
def _networks(models: tuple[Path, ...], device: str) -> CdrlNetworks:
    return load_networks(Resources(device=resolve_device(device), folders=models))


def clip_pictures(source: PictureSource, device: str) -> Iterator[np.ndarray]:
    """(256, 256, 3) uint8 RGB, 30 per second. Raises InputError where there is no face or no picture."""
    if source.path.is_dir():
        paths = sorted(path for path in source.path.iterdir() if path.suffix.lower() in (".png", ".jpg", ".jpeg"))
        if not paths:
            raise InputError(f"{source.path} holds no pictures")
        yield from map(read_image, paths)
        return
    video = open_video(source.path)
    crops, _ = face_crops(video, device)
    duration = len(crops) / video.info.frame_rate
    for number in range(int(duration * RATE)):
        yield crops[int(Fraction(number, RATE) * video.info.frame_rate)]


def measure_emotion(job: EmotionJob) -> dict[str, str | float]:
    """FAD over all actors, CSIM per actor, LSE-D per clip, of one system, setting and emotion."""
    networks = _networks(job.models, job.device)
    spreads, features = {}, {}
    distances: list[float] = []
    for side, groups in (("generated", job.generated), ("real", job.real)):
        spread, rows = FeatureSpread.empty(512), []
        for clips in groups.values():
            pictures = []
            for clip in clips:
                own = list(clip_pictures(clip, job.device))[clip.skipped :]
                if side == "generated" and clip.sound is not None:
                    samples = np.asarray(speech_of(clip.sound).samples)
                    distances.append(measures.lse_d(networks.sync, own, samples, margin=job.margin))
                pictures += own
            spread = spread.merged(measures.identity_features(networks.identity, pictures))
            rows.append(measures.expression_features(networks.expression, pictures))
        spreads[side], features[side] = spread, rows
    return {
        "system": job.system,
        "setting": job.setting,
        "emotion": job.emotion,
        "fad": measures.fad(spreads["generated"], spreads["real"]),
        "lse_d": mean_of(value for value in distances if isfinite(value)),
        "csim": measures.csim(features["real"], features["generated"], seed=job.seed),
    }


def result_jobs(
    out: Path, clips: Sequence[DatasetClip], held_out: Sequence[DatasetClip], **settings: object
) -> list[EmotionJob]:
    """Jobs over what ``training.evaluate run`` left.

    Args:
        out: its folder.
        clips: the data set.
        held_out: clips that may be compared with: the real ones of each actor and emotion.
        settings: of :class:`EmotionJob`.

    Raises:
        InputError: nothing is finished there, a result is damaged, or there is nothing real to compare one with.
    """
    by_name = {clip.name: clip for clip in clips}
    groups: dict[tuple[str, str, str], dict[str, list[PictureSource]]] = {}
    for path in sorted(out.glob("*/*/*.json")):
        with reading(path, remedy="delete it and run `python -m training.evaluate run` again"):
            facts = json.loads(path.read_text(encoding="utf-8"))
            source = by_name[facts["source_clip"]]
            actors = groups.setdefault((facts["system"], facts["setting"], facts["emotion"]), {})
        result = PictureSource(path=path.with_suffix(".mp4"), sound=source, skipped=SKIPPED)
        actors.setdefault(source.actor, []).append(result)
    if not groups:
        raise no_result(out)
    jobs = []
    for (system, setting, emotion), generated in sorted(groups.items()):
        real = {actor: _real_clips(held_out, clips, actor, emotion) for actor in generated}
        whole = {actor: tuple(some) for actor, some in generated.items()}
        jobs.append(
            EmotionJob(system=system, setting=setting, emotion=emotion, generated=whole, real=real, **settings)  # type: ignore[arg-type]
        )
    return jobs


def _real_clips(
    held_out: Iterable[DatasetClip], clips: Iterable[DatasetClip], actor: str, emotion: str
) -> tuple[PictureSource, ...]:
    for some in (held_out, clips):
        found = [clip for clip in some if (clip.actor, clip.emotion) == (actor, emotion)]
        if found:
            return tuple(PictureSource(path=clip.video) for clip in found)
    raise InputError(f"{actor} has no real clip with the emotion {emotion} to compare with")


def save_numbers(out: Path, rows: Sequence[dict[str, str | float]]) -> None:
    """``cdrl.json`` beside the results; systems measured before stay unless they are measured again.

    Raises InputError where the old one is damaged, OutputError where none can be written.
    """
    path = out / NUMBERS
    known = {_key(row): row for row in read_numbers(out)} | {_key(row): row for row in rows}
    with complete_file(path) as part:
        part.write_text(json.dumps(list(known.values()), indent=1), encoding="utf-8")


def _key(row: dict[str, str | float]) -> tuple[str | float, ...]:
    return row["system"], row["setting"], row["emotion"]


def read_numbers(out: Path) -> list[dict[str, str | float]]:
    """What :func:`save_numbers` wrote; empty where the protocol was not run. Raises InputError where it is damaged."""
    path = out / NUMBERS
    if not path.exists():
        return []
    with reading(path, remedy="delete it and run `python -m training.evaluate cdrl` again"):
        return [{name: row[name] for name in _ROW} for row in json.loads(path.read_text(encoding="utf-8"))]


def comparison_table(out: Path, dataset: str) -> Table | None:
    """Both protocols side by side: averages over the emotions, and NED as two papers printed it under this one.

    None where this protocol was not run.
    """
    rows = read_numbers(out)
    if not rows:
        return None
    try:
        ours = Results(out)
    except InputError:
        ours = None
    columns = ours.columns() if ours is not None else ()
    lines = []
    for system, setting in dict.fromkeys((str(row["system"]), str(row["setting"])) for row in rows):
        mine = [ours.number(system, setting, AVERAGE, column) for column in columns] if ours is not None else []
        group = [row for row in rows if (row["system"], row["setting"]) == (system, setting)]
        theirs = [mean_of(x for row in group if isfinite(x := float(row[key]))) for key in ("fad", "lse_d", "csim")]
        lines.append((setting, system, *map(shown, [*mine, *theirs])))
    for paper, printed in NED_PUBLISHED.items():
        for setting in dict.fromkeys(line[0] for line in lines):
            values = printed.get((cast(Dataset, dataset), setting))
            if values is None:  # of other clips
                continue
            lines.append((setting, f"NED, printed by {paper}", *map(shown, [*[nan] * len(columns), *values])))
    return Table(
        title="Both protocols (averages over the emotions); columns marked cdrl are the paper group's and compare with "
        "published tables only",
        header=("Setting", "Methods", *(column.label for column in columns), *LABELS),
        rows=tuple(lines),
    )
