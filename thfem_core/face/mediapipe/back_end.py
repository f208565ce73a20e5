"""The face tracker ``mediapipe``: MediaPipe's networks, embedded in the package."""

from __future__ import annotations

from ...registry import BackEnd
from ...weights.model import embedded

BACK_END = BackEnd(
    summary="MediaPipe's face detectors and 478-point mesh with attention, embedded",
    factory="models:create",
    models=(
        embedded(
            "mediapipe_face",
            "face detector and 478-point mesh",
            3644566,
            "44fec471623b151219492cc5cf5b857bb82036ff1a1aa1f7cb0aa1067a853ec8",
            licence="Apache-2.0",
            commercial=True,
            link="https://pypi.org/project/mediapipe/0.10.21",
        ),
    ),
)
