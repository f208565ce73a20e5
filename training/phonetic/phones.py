"""The phones of American English (ARPAbet without stress), what others call them, and how the mouth looks in each."""

from __future__ import annotations

import numpy as np

SILENCE = 0
PHONES = (  # noqa: SIM905
    "SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
).split()
_INDEX = {phone: i for i, phone in enumerate(PHONES)}

# Festival's names that differ.
_FESTIVAL = {"pau": "SIL", "ax": "AH", "axr": "ER", "h#": "SIL", "brth": "SIL", "el": "L", "en": "N", "em": "M"}
# (gap 0 … 1 of the widest, wide 1 … rounded -1, lower lip tucked 0 … 1), for glides at their beginning and end.
_SHAPES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "SIL": ((0.0, 0.0, 0.0),),
    "AA": ((1.0, 0.0, 0.0),), "AE": ((0.9, 0.4, 0.0),), "AH": ((0.55, 0.1, 0.0),), "AO": ((0.75, -0.5, 0.0),),
    "EH": ((0.65, 0.4, 0.0),), "ER": ((0.4, -0.4, 0.0),), "IH": ((0.45, 0.5, 0.0),), "IY": ((0.35, 0.8, 0.0),),
    "UH": ((0.4, -0.6, 0.0),), "UW": ((0.3, -1.0, 0.0),),
    "AW": ((0.95, 0.1, 0.0), (0.35, -0.8, 0.0)), "AY": ((0.95, 0.1, 0.0), (0.4, 0.6, 0.0)),
    "EY": ((0.6, 0.5, 0.0), (0.4, 0.7, 0.0)), "OW": ((0.6, -0.6, 0.0), (0.3, -0.9, 0.0)),
    "OY": ((0.6, -0.7, 0.0), (0.4, 0.5, 0.0)),
    "B": ((0.0, 0.1, 0.0),), "P": ((0.0, 0.1, 0.0),), "M": ((0.0, 0.1, 0.0),),
    "F": ((0.1, 0.2, 1.0),), "V": ((0.1, 0.2, 1.0),),
    "W": ((0.2, -1.0, 0.0),), "R": ((0.3, -0.5, 0.0),), "Y": ((0.3, 0.5, 0.0),),
    "CH": ((0.25, -0.6, 0.0),), "JH": ((0.25, -0.6, 0.0),), "SH": ((0.25, -0.6, 0.0),), "ZH": ((0.25, -0.6, 0.0),),
}  # fmt: skip
_CONSONANT = ((0.25, 0.2, 0.0),)


def phone_number(name: str, alphabet: str = "arpabet") -> int:
    """Position in :data:`PHONES` of a phone of alphabet ``arpabet`` (any case, stress ignored) or ``festival``;
    unknown ones are silence."""
    if alphabet == "festival":
        name = _FESTIVAL.get(name, name)
    return _INDEX.get(name.upper().rstrip("012"), SILENCE)


def mouth_shapes(spans: np.ndarray, numbers: np.ndarray, columns: int) -> np.ndarray:
    """(columns, 3) gap, wide, tuck. spans: (N + 1,) borders of the phones in columns of 10 ms; numbers: (N,).

    Each shape is met in the middle of its phone (glides: at two points), 30 ms before it is heard, and motion between
    is smooth over 80 ms.
    """
    keys: list[float] = []
    values: list[tuple[float, float, float]] = []
    for begin, end, number in zip(spans[:-1], spans[1:], numbers, strict=True):
        shapes = _SHAPES.get(PHONES[number], _CONSONANT)
        places = (0.5,) if len(shapes) == 1 else (0.3, 0.85)
        if number == SILENCE and end - begin > 20:
            shapes, places = shapes * 2, (10 / (end - begin), 1 - 10 / (end - begin))
        keys += [begin + place * (end - begin) - 3 for place in places]
        values += shapes
    table = np.array(values, np.float32)
    motion = np.stack([np.interp(np.arange(columns), keys, column) for column in table.T], axis=1)
    kernel = np.hanning(9)[1:-1] / np.hanning(9).sum()
    return np.stack([np.convolve(column, kernel, mode="same") for column in motion.T], axis=1).astype(np.float32)
