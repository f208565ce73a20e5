"""How well the sync expert of the recipe tells sound that belongs to a mouth, on people it has not seen.

    python -m benchmarks.sync_expert PREPARED --weights runs/mouth/sync.safetensors

PREPARED is what training.build_dataset made. accuracy: half true pairs, half 3 to 20 frames apart in the same clip,
at the expert's own threshold (chance .5; the file name of THFEM's released expert says .52). offset: over windows of 25
frames, how often the best of 15 offsets is right within one frame (chance .2).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from training.thg.clips import load_clips, trusted
from training.thg.renderer_task import load_expert
from training.thg.sync_task import expert_scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    expert = load_expert(arguments.weights)
    for split in ("val", "test"):
        clips = load_clips(
            arguments.prepared,
            split,
            load_mouth_basis(),
            keep=lambda clip: clip.regions is not None and trusted(clip, 0.45, 2),
        )
        scores = expert_scores(expert, clips)
        print(f"{split}: " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))


if __name__ == "__main__":
    main()
