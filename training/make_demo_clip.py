"""Make the sample clip of ``python -m thfem_core demo``: NASA's portrait of Eileen Collins, talking.

The portrait is in the public domain (NASA Great Images, https://flic.kr/p/r9qvLn, as shipped by scikit-image); the
voice is synthetic (eSpeak NG). The person never said these words, and the title of the clip says so.

    apt-get install espeak-ng && pip install scikit-image
    python -m training.make_demo_clip -o thfem_core/assets/demo.mp4
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from thfem_core.face.mesh.basis import load_basis
from thfem_core.face.models import default_face_models
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.picture_file import read_image

from .espeak import Speech, speak
from .puppet import Pose, Puppet
from .visemes import mouth_motion

TEXT = "Hello from orbit! You can change how I look, and I keep on talking."
FRAME_RATE = Fraction(25)
SIZE = 512
CROP = (92, 0, 272)  # left, top and side of the square of the 512 x 512 photograph that is used
BLINKS = (1.45, 3.15)  # seconds
TAIL = 0.3  # seconds after the last word
TITLE = "Synthetic sample: NASA portrait of Eileen Collins (public domain), animated; voice by eSpeak NG"


def portrait(path: Path | None) -> np.ndarray:
    """uint8 RGB (SIZE, SIZE, 3): head and collar."""
    if path is None:
        from skimage.data import astronaut

        photograph = astronaut()
    else:
        photograph = read_image(path)
    x, y, side = CROP
    return cv2.resize(photograph[y : y + side, x : x + side], (SIZE, SIZE), interpolation=cv2.INTER_LANCZOS4)


def find_landmarks(rgb: np.ndarray) -> np.ndarray:
    """(478, 3) pixels."""
    models = default_face_models(torch.device("cpu"))
    frame = ArrayFrame(index=0, time=Fraction(0), pixels=rgb)
    roi = models.roi_from_detection(models.detect(frame)[0])
    for _ in range(3):
        (fit,) = models.fit(frame, [roi])
        roi = models.roi_from_landmarks(fit.landmarks)
    return fit.landmarks


def poses(speech: Speech) -> list[Pose]:
    """One per frame: speech, two blinks and a gently moving head."""
    seconds = len(speech.samples) / speech.sample_rate + TAIL
    times = np.arange(int(np.ceil(seconds * FRAME_RATE))) / float(FRAME_RATE)
    gap, wide, tuck = mouth_motion(speech.phonemes, times).T
    blink = np.max([np.minimum(1.2 * np.exp(-0.5 * ((times - at) / 0.06) ** 2), 1.0) for at in BLINKS], axis=0)

    def sway(period: float, phase: float = 0.0) -> np.ndarray:
        return np.sin(2 * np.pi * times / period + phase)

    columns = {
        "yaw": 4 * sway(3.1, 0.4),
        "pitch": 1.5 * sway(1.9) + 0.08 * gap,
        "roll": 2 * sway(4.3),
        "gap": gap,
        "wide": wide,
        "tuck": tuck,
        "blink": blink,
        "brows": 0.3 * np.maximum(sway(2.2), 0),
    }
    return [Pose(**dict(zip(columns, map(float, row), strict=True))) for row in zip(*columns.values(), strict=True)]


def write(path: Path, frames: Iterator[np.ndarray], speech: Speech) -> None:
    """H.264 and AAC in MP4."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        container.metadata["title"] = TITLE
        video = container.add_stream("libx264", rate=FRAME_RATE, options={"crf": "20", "preset": "veryslow"})
        video.width = video.height = SIZE
        video.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=speech.sample_rate, layout="mono")
        sound.bit_rate = 64_000
        for rgb in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(video.encode(None))
        block = av.AudioFrame.from_ndarray(speech.samples[None], format="s16", layout="mono")
        block.sample_rate, block.pts = speech.sample_rate, 0
        for packed in av.AudioResampler(format="fltp", layout="mono", rate=speech.sample_rate).resample(block):
            container.mux(sound.encode(packed))
        container.mux(sound.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the sample clip.")
    parser.add_argument("--portrait", type=Path, help="astronaut.png of scikit-image (default: the installed one)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    rgb = portrait(args.portrait)
    basis = load_basis()
    puppet = Puppet(
        rgb,
        find_landmarks(rgb),
        basis.canonical.astype(np.float64),
        {name: shape.astype(np.float64) for name, shape in zip(basis.names, basis.action_units, strict=True)},
    )
    speech = speak(TEXT)
    write(args.output, map(puppet.render, poses(speech)), speech)


if __name__ == "__main__":
    main()
