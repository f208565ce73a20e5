"""How well the sync expert tells sound that belongs to a mouth, on people it has not seen.

    python -m benchmarks.sync_expert PREPARED [--weights runs/mouth/sync.safetensors]

PREPARED is what training.build_dataset made. Windows of 5 and of 25 frames. accuracy: half true pairs, half 3 to 20
frames apart in the same clip, at the expert's own threshold (chance .5; the file name of THFEM's released expert says
.52). ranking: how often the true pair beats such a false one. offset: how often the best of 15 offsets is right within
one frame, over 25 windows of 5 frames or one of 25 (chance .2). "in step": people whose lips and loudness go together
at nearly no lag. Collections differ in how exactly their sound fits the pictures, so "all" asks for more than there is.

Second table: one clip of each test person of 60 frames or more, judged as a whole as ``thfem-sync`` does, with its own
sound, with that five frames late, and with another person's: medians, and how often a delay of at most 3 frames (of 15
either way) is found, or one that is 5 frames (4 to 6) from that found with the sound in place.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from thfem_core.metrics.judges.thfem_sync.network import ThfemSync, load_thfem_sync_network
from thfem_core.metrics.sync import MAX_SHIFT, SyncCurve, SyncScore
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from training.config import DataConfig
from training.data.clips import COLUMNS_PER_FRAME, SpeakingClip, load_clips
from training.data.prepare import PreparedClip
from training.stages.sync import clip_embeddings, expert_scores

from .judge import markdown_table

EXACT = ("grid", "lip-reading")  # collections whose sound fits to the frame
PEOPLE: dict[str, Callable[[PreparedClip], bool]] = {
    "in step": lambda clip: clip.sync >= 0.45 and abs(clip.lag) <= 2,
    "GRID, lipreading.org": lambda clip: clip.identity.startswith(EXACT),
    "all": lambda clip: True,
}


LATE, WINDOW, LEAST = 5, 25, 60  # frames


def whole_clip(expert: ThfemSync, lips: SpeakingClip, sound: SpeakingClip) -> SyncScore:
    """The score of one clip's lips with another's sound, as far as both go."""
    frames = min(lips.frames, sound.frames)
    cut = replace(lips, coefficients=lips.coefficients[:frames], mel=sound.columns[: COLUMNS_PER_FRAME * frames])
    seen, heard = clip_embeddings(expert, cut, WINDOW)
    curve = SyncCurve()
    curve.add(seen, torch.nn.functional.pad(heard, (0, 0, MAX_SHIFT, MAX_SHIFT), value=float("nan")))
    return curve.score()


def late(clip: SpeakingClip) -> SpeakingClip:
    """The same lips, the sound LATE frames later."""
    columns = np.pad(clip.columns, ((COLUMNS_PER_FRAME * LATE, 0), (0, 0)), mode="edge")[: len(clip.columns)]
    return replace(clip, mel=columns)


def whole_clips(expert: ThfemSync, clips: list[SpeakingClip]) -> str:
    people = {clip.clip.identity: clip for clip in reversed(clips) if clip.frames >= LEAST}
    chosen = [people[name] for name in sorted(people)]
    others = chosen[7:] + chosen[:7]
    own, moved, foreign = (
        [whole_clip(expert, clip, sound) for clip, sound in zip(chosen, sounds, strict=True)]
        for sounds in (chosen, map(late, chosen), others)
    )
    right = (
        [abs(score.offset) <= 3 for score in own],
        [abs(a.offset - b.offset - LATE) <= 1 for a, b in zip(own, moved, strict=True)],
        [abs(score.offset) <= 3 for score in foreign],
    )
    rows = [
        (
            name,
            f"{np.median([score.distance for score in scores]):.3f}",
            f"{np.median([score.confidence for score in scores]):.3f}",
            f"{np.mean(hits):.2f}",
        )
        for name, scores, hits in zip(
            ("own sound", "5 frames late", "another's"), (own, moved, foreign), right, strict=True
        )
    ]
    return markdown_table((f"{len(chosen)} people", "distance", "confidence", "delay found"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--weights", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    expert = load_thfem_sync_network(arguments.weights)

    def has_sound(clip: PreparedClip) -> bool:
        return len(clip.speech) > 0

    rows = []
    for split in ("val", "test"):
        found = load_clips(DataConfig(prepared=str(arguments.prepared)), split, load_mouth_basis(), keep=has_sound)
        clips = [clip for clip in found if clip.mel is not None]
        for name, chosen in PEOPLE.items():
            of = [clip for clip in clips if chosen(clip.clip)]
            scores = expert_scores(expert, of)
            people = len({clip.clip.identity for clip in of})
            rows.append((split, name, str(people), *(f"{v:.3f}" for k, v in scores.items() if k != "clips")))
    print(markdown_table(("split", "who", "people", *(k for k in scores if k != "clips")), rows))
    print()
    print(whole_clips(expert, clips))


if __name__ == "__main__":
    main()
