"""What dlib's network declares of itself."""

from ...measure import unranged
from ...network_catalogue import IDENTITY_COSINE
from ..spec import JudgeSpec

BACK_END = JudgeSpec(
    summary="dlib's face-recognition network, offline stand-in for identity",
    factory="judge:load_dlib",
    title="dlib ResNet",
    kind="identity",
    official=False,
    # Its cosines of different people are high, so the ranges of other networks do not hold.
    measures=(unranged(IDENTITY_COSINE),),
    packages=("dlib", "face_recognition_models"),
)
