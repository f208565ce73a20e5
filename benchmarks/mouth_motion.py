"""How well the sound moves the mouth on people the network has not seen, for windows of n frames (as in Table 6).

    python -m benchmarks.mouth_motion PREPARED [--index index.csv] [--no-past] [--weights FILE]

PREPARED is what training.build_dataset made. People of the split test who speak in step with their sound: by the
measure stored in PREPARED (lip aperture and loudness correlate by .45 or more where the sound follows by 0 to 3 frames:
mouths open before they sound), or, with --index, by the one in the index of the data (mouth_audio_corr of .4 or more,
lag_frames at most 1 either way). --no-past hides the frames before the source. Lip error: mean distance of the 40 lip
points in % of the outer-eye distance, head pose taken out. Mean over people.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import torch

from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from thfem_core.talking_head.mouth.networks import load_motion
from training.config import DataConfig
from training.data.clips import load_clips
from training.data.prepare import PreparedClip
from training.stages.motion import motion_scores


def in_step(index: Path | None) -> Callable[[PreparedClip], bool]:
    """See the module."""
    if index is None:
        return lambda clip: clip.sync >= 0.45 and 0 <= clip.lag <= 3
    with index.open(newline="", encoding="utf-8") as lines:
        rows = {Path(row["file"]).stem: row for row in csv.DictReader(lines)}

    def listed(clip: PreparedClip) -> bool:
        row = rows.get(clip.name, {})
        return float(row.get("mouth_audio_corr") or 0) >= 0.4 and abs(float(row.get("lag_frames") or 99)) <= 1

    return listed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--no-past", action="store_true")
    parser.add_argument("--split", default="test")
    parser.add_argument("--windows", type=int, nargs="+", default=[1, 5, 20, 50])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    basis = load_mouth_basis()
    clips = load_clips(
        DataConfig(prepared=str(arguments.prepared)), arguments.split, basis, keep=in_step(arguments.index)
    )
    clips = [clip for clip in clips if clip.mel is not None]
    net = load_motion(arguments.weights)
    print("| n | lip error | copy | shuffled sound | aperture r | copy | shuffled | spread | people |")
    print("|---|---|---|---|---|---|---|---|---|")
    for n in arguments.windows:
        own, other = (
            motion_scores(net, basis, clips, window=n, shuffle=shuffle, past_known=not arguments.no_past)
            for shuffle in (False, True)
        )
        print(
            f"| {n} | {own['lip']:.2f} | {own['copy_lip']:.2f} | {other['lip']:.2f} | {own['aperture']:.2f} | "
            f"{own['copy_aperture']:.2f} | {other['aperture']:.2f} | {own['spread']:.2f} | {own['people']:.0f} |"
        )


if __name__ == "__main__":
    main()
