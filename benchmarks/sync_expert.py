"""How well the sync expert tells sound that belongs to a mouth, on people it has not seen.

    python -m benchmarks.sync_expert PREPARED [--weights runs/mouth/sync.safetensors]

PREPARED is what training.build_dataset made. Windows of 5 and of 25 frames. accuracy: half true pairs, half 3 to 20
frames apart in the same clip, at the expert's own threshold (chance .5; the file name of THFEM's released expert says
.52). ranking: how often the true pair beats such a false one. offset: how often the best of 15 offsets is right within
one frame, over 25 windows of 5 frames or one of 25 (chance .2). "in step": people whose lips and loudness go together
at nearly no lag. Collections differ in how exactly their sound fits the pictures, so "all" asks for more than there is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from thfem_core.metrics.networks.lip_sync import load_lip_sync
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from training.build_dataset import PreparedClip
from training.thg.clips import load_clips, trusted
from training.thg.sync_task import expert_scores

from .judge import markdown_table

EXACT = ("grid", "lip-reading")  # collections whose sound fits to the frame
PEOPLE = {
    "in step": lambda clip: trusted(clip, 0.45, 2),
    "GRID, lipreading.org": lambda clip: clip.identity.startswith(EXACT),
    "all": lambda clip: True,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--weights", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    expert = load_lip_sync(arguments.weights)

    def heard(clip: PreparedClip) -> bool:
        return len(clip.speech) > 0

    rows = []
    for split in ("val", "test"):
        clips = [c for c in load_clips(arguments.prepared, split, load_mouth_basis(), keep=heard) if c.mel is not None]
        for name, chosen in PEOPLE.items():
            of = [clip for clip in clips if chosen(clip.clip)]
            scores = expert_scores(expert, of)
            people = len({clip.clip.identity for clip in of})
            rows.append((split, name, str(people), *(f"{v:.3f}" for k, v in scores.items() if k != "clips")))
    print(markdown_table(("split", "who", "people", *(k for k in scores if k != "clips")), rows))


if __name__ == "__main__":
    main()
