"""Our mesh editor against NED's published frames, on NED's own source and reference clips.

python -m benchmarks.compare_ned --data DIR --judges DIR [--out DIR] [--cache DIR] [--strength 1.0] [--frames N]

For every triple of ned_pairs/ that has a reference: edits the source with ``--reference``, encodes it as a user would,
and measures source, reference, NED's output and ours with the same judges. Frames are paired by index; the lag column
says whether that was right. Prints Markdown tables; with --out also a picture per triple and all numbers as JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thfem_core.expression.request import ExpressionRequest, ReferenceClip
from thfem_core.face.tracking.track import FaceTrack
from thfem_core.face.tracking.tracker import track_faces
from thfem_core.media.open_video import open_video
from thfem_core.media.video import Video
from thfem_core.media.writer import write_video
from thfem_core.pipeline import EditConfig, edit

from .judge import (
    Judges,
    Look,
    add_arguments,
    compare,
    load_judges,
    look_at_file,
    markdown_table,
    mean,
    median,
)
from .strips import save_strip, tile

Numbers = dict[str, Any]  # of one clip, by name

KINDS = ("source", "ref", "NED", "ours")


def triples(folder: Path) -> list[str]:
    """Names like MEAD_angry_07 for which source, reference and NED's output all exist.

    Ordered by number first, so that a run that is cut short has seen every emotion.
    """
    found = (path.name.removesuffix("_source.mp4") for path in folder.glob("*_source.mp4"))
    names = sorted(found, key=lambda name: (name.split("_")[2], name))
    return [n for n in names if all((folder / f"{n}_{kind}.mp4").exists() for kind in ("ref", "NED"))]


def measure(name: str, folder: Path, judges: Judges, args: argparse.Namespace) -> Numbers:
    """All numbers of one triple, and its picture."""
    source_file, reference_file = folder / f"{name}_source.mp4", folder / f"{name}_ref.mp4"
    cpu = torch.device("cpu")

    def cached(kind: str, near: np.ndarray | None = None) -> Look:
        file = folder / f"{name}_{kind}.mp4"
        return look_at_file(file, judges, near=near, frames=args.frames, cache=args.cache)

    looks = {"source": cached("source"), "ref": cached("ref")}
    near = looks["source"].landmarks
    looks["NED"] = cached("NED", near)
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "ours.mp4"
        shown = open_video(reference_file)
        track = max(_largest(shown, judges), key=lambda track: track.stop_frame - track.first_frame)
        request = ExpressionRequest(reference=ReferenceClip(video=shown, track=track), strength=args.strength)
        video = open_video(source_file)
        if args.frames is not None:
            video = open_video(source_file, duration=args.frames / video.info.frame_rate)
        tracks = track_faces(video, models=judges.faces)
        config = EditConfig(request=request, talking_head=None)
        write_video(edit(video, config, device=cpu, tracks=tracks).frames(), output, like=video)
        looks["ours"] = look_at_file(output, judges, near=near)
    emotion = name.split("_")[1]
    result: Numbers = {"name": name, "data set": name.split("_")[0], "emotion": emotion}
    result["frames"] = {kind: len(looks[kind].landmarks) for kind in KINDS}
    for i, judge in enumerate(judges.expression):
        result[judge.spec.title] = {kind: looks[kind].probability(i, emotion) for kind in KINDS}
    for kind in ("NED", "ours"):
        result[kind] = compare(looks["source"], looks[kind])
    if args.out:
        save_strip(args.out / f"{name}.png", _rows(name, looks))
    return result


def _largest(video: Video, judges: Judges) -> tuple[FaceTrack, ...]:
    return track_faces(video, models=judges.faces).select("largest")


def _rows(name: str, looks: dict[str, Look]) -> list[list[Any]]:
    """Source, reference, NED, ours from left to right, at four moments."""
    shared = sorted(set.intersection(*(set(looked.samples) for looked in looks.values()))) or [0]
    moments = [shared[int(k * (len(shared) - 1) / 3)] for k in range(4)]
    return [
        [
            tile(looks[kind].samples[moment], None, 256, f"{name} {kind} {moment}" if kind == "source" else kind)
            for kind in KINDS
        ]
        for moment in moments
    ]


def expression_table(results: Sequence[Numbers], judge: str, key: Callable[[Numbers], str]) -> str:
    """Target probability of the four clips by group, rises over the source, and ours in % of NED's."""
    rows = []
    for label, group in _groups(results, key):
        value = {kind: mean(r[judge][kind] for r in group) for kind in KINDS}
        ned, ours = value["NED"] - value["source"], value["ours"] - value["source"]
        raised = sum(r[judge]["ours"] > r[judge]["source"] for r in group)
        raised_by_ned = sum(r[judge]["NED"] > r[judge]["source"] for r in group)
        share = f"{100 * ours / ned:.0f} %" if ned > 0.02 else "–"
        values = [f"{value[kind]:.2f}" for kind in KINDS]
        rows.append([label, len(group), *values, f"{ned:+.3f} ({raised_by_ned})", f"{ours:+.3f} ({raised})", share])
    header = ["", "n", "source", "reference", "NED", "ours", "rise NED (clips)", "rise ours (clips)", "ours / NED"]
    return markdown_table(header, rows)


def speech_table(results: Sequence[Numbers], key: Callable[[Numbers], str]) -> str:
    """Each cell: NED / ours."""
    rows = []
    for label, group in _groups(results, key):

        def both(form: str, name: str, how: Callable[..., float] = mean, group: Sequence[Numbers] = group) -> str:
            return " / ".join(form.format(how(r[kind][name] for r in group)) for kind in ("NED", "ours"))

        lags = "/".join(str(sum(r[kind]["aperture_lag"] != 0 for r in group)) for kind in ("NED", "ours"))
        rows.append(
            [
                *(label, len(group), both("{:.3f}", "aperture_r", median), both("{:.2f}", "aperture_r", min), lags),
                *(both("{:.2f}", "lip_distance"), both("{:.2f}", "inner_lip_distance")),
                *(both("{:.2f}", "lip_motion_distance"), both("{:.2f}", "closure_recall")),
                *(both("{:.2f}", "identity"), both("{:.2f}", "jitter_ratio", median), both("{:.2f}", "added_jitter")),
            ]
        )
    header = ["NED / ours", "n", "aperture r median", "min", "lag ≠ 0", "lip distance %", "inner lips %"]
    header += ["lip motion %", "closures kept", "identity", "jitter ×", "added jitter"]
    return markdown_table(header, rows)


def _groups(results: Sequence[Numbers], key: Callable[[Numbers], str]) -> list[tuple[str, list[Numbers]]]:
    groups = {label: [r for r in results if key(r) == label] for label in sorted({key(r) for r in results})}
    return [*groups.items(), ("**all**", list(results))]


def report(results: Sequence[Numbers], judge_names: Sequence[str]) -> str:
    emotional = [r for r in results if r["emotion"] != "neutral"]
    unequal = sum(len({r["frames"][kind] for kind in ("source", "NED", "ours")}) > 1 for r in results)
    parts = [f"{len(results)} triples, {unequal} with unequal frame counts of source, NED and ours."]
    parts += ["### Speech, identity, steadiness against the source", speech_table(results, lambda r: r["data set"])]
    for name in judge_names:
        parts += [f"### Target probability, {name}", expression_table(results, name, lambda r: r["emotion"])]
        parts.append(expression_table(emotional, name, lambda r: r["data set"] + " without neutral"))
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--frames", type=int, help="only the first N frames of source and output (default: all)")
    parser.add_argument("--only", default="", help="only triples whose name contains this, such as MEAD_happy")
    args = parser.parse_args()
    judges = load_judges(args.judges)
    folder = args.data / "ned_pairs"
    results = []
    for name in triples(folder):
        if args.only in name:
            results.append(measure(name, folder, judges, args))
            ours, ned = results[-1]["ours"], results[-1]["NED"]
            print(f"{name}: aperture r NED {ned['aperture_r']:.2f}, ours {ours['aperture_r']:.2f}", flush=True)
            if args.out:
                (args.out / "numbers.json").write_text(json.dumps(results, indent=1))
    print("\n" + report(results, [judge.spec.title for judge in judges.expression]))


if __name__ == "__main__":
    main()
