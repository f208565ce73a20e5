"""The main job on whole clips, judged: ``edit --emotion happy`` on everything in full/.

python -m benchmarks.edit_full_clips --data DIR --judges DIR [--emotion happy] [--strength 1.0] [--out DIR]

Runs the command as a user does, then reads both files back with PyAV and prints one Markdown row per clip.
With --out: the edited clips, a picture per clip (source above, edited below, four moments) and the numbers as JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from thfem_core.expression.request import EMOTIONS
from thfem_core.metrics.views import yaw

from .judge import Judges, add_arguments, compare, load_judges, look_at_file, markdown_table, mean, median
from .strips import save_strip, tile

Numbers = dict[str, Any]  # of one clip, by name

FRONTAL = 25.0  # degrees of yaw that a frontal clip stays below in 9 of 10 frames
MOMENTS = (0.12, 0.38, 0.62, 0.88)


def streams(path: Path) -> Numbers:
    """Frame count, time stamps, size and duration of the picture; a digest of the decoded sound and its length."""
    times, samples, digest = [], 0, hashlib.sha256()
    with av.open(str(path)) as container:
        size = None
        for frame in container.decode(video=0):
            times.append(frame.time)
            size = (frame.width, frame.height)
    with av.open(str(path)) as container:
        if container.streams.audio:
            for chunk in container.decode(audio=0):
                digest.update(chunk.to_ndarray().tobytes())
                samples += chunk.samples
            rate = container.streams.audio[0].rate
    sound = (digest.hexdigest(), Fraction(samples, rate)) if samples else None
    return {"frames": len(times), "times": np.array(times) - times[0], "size": size, "sound": sound}


def kept(source: Numbers, output: Numbers) -> dict[str, bool]:
    same_count = source["frames"] == output["frames"]
    return {
        "frames": same_count,
        "times": same_count and bool(np.abs(source["times"] - output["times"]).max() < 2e-3),
        "size": source["size"] == output["size"],
        "sound": source["sound"] == output["sound"],
    }


def measure(path: Path, output: Path, judges: Judges, args: argparse.Namespace) -> Numbers:
    """Edit one clip with the command and judge it; ``error`` instead of measures where the command refused it."""
    command = [sys.executable, "-m", "thfem_core", "edit", str(path), "-o", str(output)]
    start = time.perf_counter()
    run = subprocess.run(
        [*command, "--emotion", args.emotion, "--strength", str(args.strength)], capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    result: Numbers = {"clip": path.stem, "seconds": seconds, "message": (run.stdout or run.stderr).strip()[-300:]}
    if run.returncode:
        return {**result, "error": run.stderr.strip().splitlines()[-1]}
    source_streams, output_streams = streams(path), streams(output)
    before = look_at_file(path, judges, cache=args.cache)
    after = look_at_file(output, judges, near=before.landmarks)
    turned = np.abs(yaw(before.landmarks))
    turned = turned[np.isfinite(turned)]
    result |= {"size": source_streams["size"], "frames": source_streams["frames"], "faces": len(turned)}
    result["yaw"] = float(np.percentile(turned, 90)) if len(turned) else float("nan")
    result |= {"kept": kept(source_streams, output_streams), **compare(before, after)}
    for i, judge in enumerate(judges.expression):
        result[judge.spec.title] = [before.probability(i, args.emotion), after.probability(i, args.emotion)]
    if args.out:
        numbers = sorted(set(before.samples) & set(after.samples))
        chosen = [numbers[int(moment * len(numbers))] for moment in MOMENTS]
        rows = [
            [tile(looked.samples[i], before.landmarks[i], 320, f"{text} {i}") for i in chosen]
            for looked, text in ((before, "source"), (after, args.emotion))
        ]
        save_strip(args.out / f"{path.stem}.png", rows)
    return result


def report(results: list[Numbers], judge_names: list[str], emotion: str) -> str:
    header = ["clip", "size", "frames", "frames, times, size, sound equal", "yaw", "aperture r", "closures kept"]
    header += [f"p({emotion}) {name}" for name in judge_names]
    header += ["seam", "outside", "identity", "jitter ×", "added jitter", "s"]
    done = [r for r in results if "error" not in r]
    rows = []
    for r in results:
        name = r["clip"][:32]
        if "error" in r:
            rows.append([name, r["error"], *[""] * (len(header) - 2)])
            continue
        probabilities = ["{:.2f} → {:.2f}".format(*r[name]) for name in judge_names]
        turned = f"{r['yaw']:.0f}°" + ("" if r["yaw"] < FRONTAL else " (side)")
        rows.append(
            [
                *(name, "×".join(map(str, r["size"])), r["frames"]),
                ", ".join("yes" if ok else "**NO**" for ok in r["kept"].values()),
                *(turned, f"{r['aperture_r']:.3f}", f"{r['closure_recall']:.2f} of {r['closures']}", *probabilities),
                *(f"{r['seam_step']:.1f}", f"{r['outside_difference']:.2f}", f"{r['identity']:.2f}"),
                *(f"{r['jitter_ratio']:.2f}", f"{r['added_jitter']:.2f}", f"{r['seconds']:.0f}"),
            ]
        )
    lines = [markdown_table(header, rows), ""]
    if not done:
        return "\n".join(lines)
    frontal = [r for r in done if r["yaw"] < FRONTAL]
    lines.append(f"- edited: {len(done)} of {len(results)}; all equal: {sum(all(r['kept'].values()) for r in done)}")
    lines.append(
        f"- lip aperture correlation: median {median(r['aperture_r'] for r in done):.3f} of {len(done)}, "
        f"lowest frontal {min((r['aperture_r'] for r in frontal), default=float('nan')):.3f} of {len(frontal)}"
    )
    for name in judge_names:
        raised = sum(r[name][1] > r[name][0] for r in done)
        before, after = (mean(r[name][i] for r in done) for i in (0, 1))
        lines.append(f"- p({emotion}), {name}: raised on {raised} of {len(results)}, mean {before:.2f} → {after:.2f}")
    lines.append(
        f"- seam: median {median(r['seam_step'] for r in done):.1f}, highest {max(r['seam_step'] for r in done):.1f} "
        f"gray levels; identity: mean {mean(r['identity'] for r in done):.2f}; "
        f"jitter: median × {median(r['jitter_ratio'] for r in done):.2f}"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--emotion", choices=EMOTIONS, default="happy")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--only", default="", help="only clips whose name contains this")
    args = parser.parse_args()
    judges = load_judges(args.judges)
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted((args.data / "full").glob("*.mp4")):
            if args.only in path.name:
                results.append(measure(path, folder / f"{path.stem}_{args.emotion}.mp4", judges, args))
                print(f"{path.name}: {results[-1]['message']}", flush=True)
        if args.out:
            (args.out / "numbers.json").write_text(json.dumps(results, indent=1))
    print("\n" + report(results, [judge.spec.title for judge in judges.expression], args.emotion))


if __name__ == "__main__":
    main()
