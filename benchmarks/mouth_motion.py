"""How well the sound moves the mouth on people the network has not seen, for windows of n frames (as in Table 6).

    python -m benchmarks.mouth_motion PREPARED [--weights thfem_core/weights/mouth_motion.safetensors]

PREPARED is what training.build_dataset made. Clips of the split test whose lips and loudness agree (correlation at
least .45 at a lag of at most 3 frames). Lip error: mean distance of the 40 lip points in % of the outer-eye distance,
head pose taken out. Mean over people.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from thfem_core.talking_head.mouth.networks import load_motion
from training.thg.clips import load_clips, trusted
from training.thg.motion_task import motion_scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--windows", type=int, nargs="+", default=[1, 5, 20, 50])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    basis = load_mouth_basis()
    clips = load_clips(arguments.prepared, arguments.split, basis, keep=lambda clip: trusted(clip, 0.45, 3))
    net = load_motion(arguments.weights)
    print("| n | lip error | copy | shuffled sound | aperture r | copy | shuffled | spread | people |")
    print("|---|---|---|---|---|---|---|---|---|")
    for n in arguments.windows:
        own = motion_scores(net, basis, clips, window=n)
        other = motion_scores(net, basis, clips, window=n, shuffle=True)
        print(
            f"| {n} | {own['lip']:.2f} | {own['copy_lip']:.2f} | {other['lip']:.2f} | {own['aperture']:.2f} | "
            f"{own['copy_aperture']:.2f} | {other['aperture']:.2f} | {own['spread']:.2f} | {own['people']:.0f} |"
        )


if __name__ == "__main__":
    main()
