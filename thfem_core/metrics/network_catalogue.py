"""Measures that several judges share; what only one takes is declared in its folder, ``judges/NAME/back_end.py``."""

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
SYNC_OFFSET = Measure(
    key="sync_offset",
    group=SYNC,
    label="delay of lips and sound",
    better="zero",
    unit=" frames",
    good=1,
    bad=2,
    digits=0,
    meaning="the delay, in frames of 1/25 s, at which lips and sound fit best",
)
