"""The facts of the group's protocol: whom it tests on how many frames, who drives whom, and what it published."""

from __future__ import annotations

from typing import Literal

Dataset = Literal["mead", "ravdess"]
EMOTIONS = ("neutral", "angry", "disgusted", "fear", "happy", "sad", "surprised")
ACTORS: dict[Dataset, tuple[str, ...]] = {
    "mead": ("M003", "M009", "W029", "M012", "M030", "W015"),
    "ravdess": tuple(f"Actor_{number:02}" for number in range(1, 7)),
}
# Frames, at 30 per second, of all test clips of an actor together, in the order of EMOTIONS. Cross-identity tests use
# the neutral number for every emotion.
FRAMES: dict[str, tuple[int, ...]] = {
    "M003": (472, 290, 334, 317, 346, 336, 321),
    "M009": (512, 428, 309, 303, 368, 335, 339),
    "M012": (530, 427, 312, 512, 479, 484, 491),
    "M030": (583, 495, 551, 544, 536, 501, 494),
    "W015": (729, 485, 250, 462, 428, 505, 512),
    "W029": (589, 532, 506, 421, 380, 528, 432),
    "Actor_01": (95, 133, 131, 117, 118, 112, 98),
    "Actor_02": (108, 120, 121, 108, 116, 110, 114),
    "Actor_03": (104, 135, 118, 103, 115, 111, 97),
    "Actor_04": (97, 115, 118, 107, 113, 113, 106),
    "Actor_05": (108, 109, 136, 93, 102, 94, 106),
    "Actor_06": (103, 134, 119, 112, 108, 121, 96),
}
RATE = 30  # frames per second of its pictures
# NED, the common baseline, as each paper printed it: FAD, LSE-D, CSIM. The same system, so what the rows differ by is
# what the papers' set-ups differ by.
NED_PUBLISHED: dict[str, dict[tuple[Dataset, str], tuple[float, float, float]]] = {
    "CDRL, STCCL": {
        ("mead", "intra"): (2.108, 9.454, 0.831),
        ("mead", "cross"): (4.448, 9.906, 0.773),
        ("ravdess", "intra"): (3.057, 7.562, 0.825),
        ("ravdess", "cross"): (5.412, 8.034, 0.760),
    },
    "THFEM": {
        ("mead", "intra"): (3.346, 9.768, 0.834),
        ("mead", "cross"): (4.448, 9.794, 0.773),
        ("ravdess", "intra"): (3.853, 8.331, 0.836),
        ("ravdess", "cross"): (5.402, 8.057, 0.760),
    },
}


def expected_frames(dataset: Dataset, actor: str, emotion: str, setting: str) -> int:
    """Frames of the test list; NED's pictures lack the first two of each actor and emotion."""
    if actor not in ACTORS[dataset]:
        raise ValueError(f"{actor!r} is not among the actors of {dataset}: {', '.join(ACTORS[dataset])}")
    return FRAMES[actor][EMOTIONS.index("neutral" if setting == "cross" else emotion)]
