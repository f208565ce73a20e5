"""Does warping by the sound find the same words? The costs behind --max-cost of training.build_pairs, and known errors.

    python -m benchmarks.alignment CLIPS.csv

CLIPS.csv is a table as training.build_pairs csv takes it: file, actor, emotion, sentence. Every clip against its own
copy whose thirds run 1.25, 0.8 and 1.1 times as fast, where the right frame map is known; and every clip against every
other, by whether person and sentence are the same. Needs librosa, for the copies.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import librosa
import numpy as np
from tqdm import tqdm

from thfem_core.alignment.clips import speech_features
from thfem_core.alignment.dtw import dtw_path
from thfem_core.alignment.pauses import quiet_frames, with_even_pauses
from thfem_core.audio.speech import Speech
from thfem_core.errors import ThfemError
from thfem_core.media.open_video import open_video
from thfem_core.media.sound import Sound
from training.data.layouts import csv_clips
from training.data.pair_alignment import speech_of

PACE = (1.25, 0.8, 1.1)
_PERSON, _WORDS = ("other person", "same person"), ("other sentence", "same sentence")


def warped(speech: Speech, rate: Fraction, count: int) -> tuple[Speech, np.ndarray]:
    """Speech with its thirds at other paces, and where each of ``count`` frames of the original lies in it (float)."""
    edges = np.linspace(0, len(speech.samples), len(PACE) + 1).astype(int)
    parts = [
        librosa.effects.time_stretch(np.array(speech.samples[a:b]), rate=pace)
        for (a, b), pace in zip(itertools.pairwise(edges), PACE, strict=True)
    ]
    after = np.cumsum([0, *map(len, parts)])
    step = speech.sample_rate / float(rate)
    place = np.interp(np.arange(count) * step, edges, after) / step
    return Speech.from_sound(Sound(np.concatenate(parts)[None].astype(np.float32), speech.sample_rate)), place


def aligned(first: Speech, second: Speech, rates: tuple[Fraction, Fraction]) -> tuple[np.ndarray, float]:
    """Frame map and mean cost per step, as training.build_pairs has them."""
    counts = [int(len(s.samples) / s.sample_rate * rate) for s, rate in zip((first, second), rates, strict=True)]
    given = list(zip((first, second), rates, counts, strict=True))
    path = dtw_path(*(speech_features(*each, features="mfcc") for each in given))
    return with_even_pauses(path, *(quiet_frames(*each) for each in given)), path.mean_cost


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    try:
        clips = csv_clips(parser.parse_args().clips)
        speech = [speech_of(clip) for clip in clips]
        rates = [open_video(clip.video).info.frame_rate for clip in clips]
    except ThfemError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print("| clip | person | own warped copy: mean error, frames | cost |\n|---|---|---|---|")
    for clip, own, rate in zip(clips, speech, rates, strict=True):
        count = int(len(own.samples) / own.sample_rate * rate)
        copy, place = warped(own, rate, count)
        found, cost = aligned(own, copy, (rate, rate))
        print(f"| {clip.name} | {clip.actor} | {np.abs(found - place[: len(found)]).mean():.2f} | {cost:.0f} |")
    costs: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for a, b in tqdm(list(itertools.combinations(range(len(clips)), 2)), disable=None):
        kind = f"{_PERSON[clips[a].actor == clips[b].actor]}, {_WORDS[clips[a].sentence == clips[b].sentence]}"
        cost = aligned(speech[a], speech[b], (rates[a], rates[b]))[1]
        costs[kind].append((cost, f"{clips[a].name} and {clips[b].name}"))
    print("\n| clips | pairs | cost: least | median | largest | the least |\n|---|---|---|---|---|---|")
    for kind, listed in sorted(costs.items()):
        values = [cost for cost, _ in listed]
        spread = f"{min(values):.0f} | {np.median(values):.0f} | {max(values):.0f}"
        print(f"| {kind} | {len(listed)} | {spread} | {min(listed)[1]} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
