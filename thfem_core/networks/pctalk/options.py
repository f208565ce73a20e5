"""Words that options of the editor and of the talking head share; no network is imported."""

from __future__ import annotations

LIP_SCALE, PERSON = 0.6, 192  # as its authors recommend
LIP_SCALE_HELP = "How far the lips move that PC-Talk moves by the sound; its authors recommend 0.6."
PERSON_HELP = "Whose way of speaking of PC-Talk's training data; 166, 192 and 202 are recommended."
SPEAKING_STYLE_HELP = (
    "A clip of somebody who speaks: PC-Talk's lips move in that way, in place of the person's (needs its "
    "style_encoder.pth)."
)
