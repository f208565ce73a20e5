"""The measures that networks take: expression, identity, lips and sound. See :mod:`.catalogue` for their ranges."""

from __future__ import annotations

from dataclasses import replace

from .measure import EXPRESSION, IDENTITY, SYNC, Measure

TARGET = Measure(
    key="target",
    group=EXPRESSION,
    label="target emotion",
    better="higher",
    good=0.6,
    bad=0.3,
    meaning="mean probability of the wanted emotion by the network; compare with the source's",
)
CSIM = Measure(
    key="csim",
    group=EXPRESSION,
    label="CSIM: expression cosine",
    better="higher",
    good=0.85,
    bad=0.7,
    digits=3,
    meaning="cosine of expression features (not identity) of output and reference, frame by frame",
)
CSIM_MEAN = replace(
    CSIM,
    key="csim_mean",
    label="CSIM of the clips' means",
    meaning="the same between the mean expressions of both clips, for clips whose frames do not correspond",
)
IDENTITY_COSINE = Measure(
    key="identity",
    group=IDENTITY,
    label="same person",
    better="higher",
    good=0.7,
    bad=0.5,
    digits=3,
    meaning="cosine of face-recognition features of source and output, frame by frame; a new expression lowers it",
)
FAD = Measure(
    key="fad",
    group=IDENTITY,
    label="FAD: Fréchet ArcFace distance",
    better="lower",
    digits=3,
    meaning="Fréchet distance (not audio) of raw face-recognition features to real frames; the paper's range is "
    "0.6 to 6.9 over a whole test set, few frames give more",
)
FAD_UNIT = replace(
    FAD,
    key="fad_unit",
    label="FAD, features of length 1",
    digits=4,
    meaning="the same of features scaled to length 1: the paper does not say which it uses",
)
SYNC_MEASURES = (
    Measure(
        key="lse_d",
        group=SYNC,
        label="LSE-D",
        better="lower",
        good=8.0,
        bad=10.0,
        digits=3,
        meaning="distance of lips and sound at the best delay; real clips have 6.5 to 9",
    ),
    Measure(
        key="lse_c",
        group=SYNC,
        label="LSE-C",
        better="higher",
        good=6.0,
        bad=3.0,
        digits=3,
        meaning="how much better the best delay is than others; real clips have 5 to 9",
    ),
    Measure(
        key="sync_offset",
        group=SYNC,
        label="delay of lips and sound",
        better="zero",
        unit=" frames",
        good=1,
        bad=2,
        digits=0,
        meaning="the delay, in frames of 1/25 s, at which lips and sound fit best",
    ),
)

# Of the pack's own expert, whose distances lie in 0..2.
OFFLINE_SYNC_MEASURES = (
    Measure(
        key="lse_d",
        group=SYNC,
        label="distance of lips and sound",
        better="lower",
        good=1.2,
        bad=1.3,
        digits=3,
        meaning="at the best delay; real clips have 0.95 to 1.25, foreign sound 1.2 to 1.33; not the LSE-D of papers",
    ),
    Measure(
        key="lse_c",
        group=SYNC,
        label="how much the best delay stands out",
        better="higher",
        good=0.2,
        bad=0.1,
        digits=3,
        meaning="distance at other delays less that at the best; real clips have 0.15 to 0.45, foreign sound 0.08 to "
        "0.23; not the LSE-C of papers",
    ),
    SYNC_MEASURES[2],
)
