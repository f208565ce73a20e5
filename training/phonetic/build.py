"""Gather speech with known phones for the motion network's encoder.

    git clone https://github.com/jimbozhang/speechocean762 SPEECHOCEAN
    apt-get install flite; pip install pocketsphinx
    python -m training.phonetic.build SPEECHOCEAN OUT.npz [--per-speaker 8] [--sentences 80]

OUT.npz holds per utterance the columns of the compact profile, the phone of each column, the mouth shapes that the
phones suggest, and the speaker. Deterministic.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from thfem_core.audio.mel import log_mel
from thfem_core.audio.profile import COMPACT
from thfem_core.audio.speech import Speech
from thfem_core.media.sound import Sound

from .phones import SILENCE, mouth_shapes
from .sources import FLITE_VOICES, RATE, Aligner, Utterance, flite, read_wave, speechocean

_COLUMNS_PER_SECOND = 100


def utterances(folder: Path, per_speaker: int, sentences: int) -> Iterator[Utterance]:
    """All sources, one after the other; the synthesiser says sentences of the corpus."""
    aligner, rng = Aligner(), np.random.default_rng(0)
    texts = []
    for speaker, data, words in speechocean(folder, per_speaker):
        texts.append(words)
        utterance = aligner.align(speaker, read_wave(data), words)
        if utterance is not None:
            yield utterance
    texts = sorted(set(texts), key=lambda text: (-len(text), text))[: 4 * sentences]
    for voice in FLITE_VOICES:
        for text in rng.choice(texts, sentences, replace=False):
            yield flite(text.lower(), voice, float(rng.uniform(0.8, 1.3)))


def columns(utterance: Utterance) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(S, 80) half-precision mel columns, (S,) phone of each, (S, 3) mouth shapes."""
    speech = Speech.from_sound(Sound(utterance.samples[None].astype(np.float32) / 32768, RATE))
    mel = log_mel(torch.from_numpy(np.array(speech.samples)) * speech.gain, COMPACT).numpy()
    borders = np.concatenate([utterance.borders * _COLUMNS_PER_SECOND, [np.inf]])
    phones = np.append(utterance.phones, SILENCE)
    if borders[0] > 0:
        borders, phones = np.insert(borders, 0, 0.0), np.insert(phones, 0, SILENCE)
    borders[-1] = max(len(mel), borders[-2] + 1)
    labels = phones[np.clip(np.searchsorted(borders, np.arange(len(mel)), side="right") - 1, 0, len(phones) - 1)]
    return mel.astype(np.float16), labels.astype(np.int8), mouth_shapes(borders, phones, len(mel)).astype(np.float16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("speechocean", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--per-speaker", type=int, default=8)
    parser.add_argument("--sentences", type=int, default=80, help="per synthetic voice")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    speakers = []
    for utterance in tqdm(
        utterances(arguments.speechocean, arguments.per_speaker, arguments.sentences), mininterval=20
    ):
        if len(utterance.samples) < RATE:
            continue
        parts.append(columns(utterance))
        speakers.append(utterance.speaker)
    mel, phones, shapes = (np.concatenate(rows) for rows in zip(*parts, strict=True))
    lengths = np.array([len(part[0]) for part in parts])
    np.savez(arguments.out, mel=mel, phones=phones, shapes=shapes, lengths=lengths, speakers=np.array(speakers))
    print(
        f"{arguments.out}: {len(parts)} utterances of {len(set(speakers))} speakers, {lengths.sum() / 6000:.0f} minutes"
    )


if __name__ == "__main__":
    main()
