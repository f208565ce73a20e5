"""Train the judge of spectacles (thfem_core/expression/mesh/spectacles.py).

    python -m training.train_spectacles DATA thfem_core/weights/spectacles.safetensors

DATA holds ``index.csv`` (columns file, identity, split) and ``crops/``. Who wears spectacles was seen by eye, once per
person: WEARERS. Trained on the splits train and val, judged on the split test, one clip per person. Deterministic.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from thfem_core.expression.mesh.spectacles import edge_features, unroll_band
from thfem_core.face.models import default_face_models

from .clip_faces import faces_of_clip

# Starts of the file names of people with spectacles in their first clip.
WEARERS = (
    *("hdtf-RD_Radio13_", "hdtf-RD_Radio18_", "hdtf-RD_Radio51_", "hdtf-RD_Radio42_", "hdtf-WRA_PeterRoskam0"),
    *("liveportrait-driving-d12", "liveportrait-driving-d13", "liveportrait-driving-d19", "liveportrait-driving-d9_"),
    *("sadtalker-source-image-WDA-BobMenendez", "styleheat-videos-video_", "spectre-LRS3-0Fi83BHQsMA"),
    *("grid-lipnet-lbax4n", "v-express-prepare-dataset-RD-Radio10", "av2av-12_", "av2av-11_"),
    *("styletalk-sad_emotion", "lrs3-jcp5vvxtEaU", "lrs3-wlR1ojoiue0", "lrs3-8UhqkX2VAmo", "lrs3-TUxwiVFgghE"),
    *("lrs3-jtVIDBs60S8", "lrs3-PSlBlZ3hqKc", "lrs3-KxLMjn4WPBY", "lrs3-JSSc7hYKstI"),
    *("transface-en-fr-demo2", "transface-fr-en-demo1"),
)
FRAMES = 5
RIDGE = 0.03
STEPS = 300


def fit_logistic(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Ridge logistic regression, classes balanced, by gradient descent on standardised features."""
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-3
    z = np.column_stack([(x - mean) / scale, np.ones(len(x))])
    balance = np.where(y, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    w = np.zeros(z.shape[1])
    for _ in range(STEPS):
        error = (1 / (1 + np.exp(-z @ w)) - y) * balance
        w -= 0.5 * (z.T @ error / len(y) + RIDGE * np.append(w[:-1], 0))
    weight = w[:-1] / scale
    return weight, float(w[-1] - weight @ mean)


def area_under_curve(score: np.ndarray, y: np.ndarray) -> float:
    """Probability that a wearer scores above a non-wearer."""
    return float((score[y][:, None] > score[~y][None]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    models = default_face_models(torch.device("cpu"))

    people: dict[str, tuple[bool, bool, np.ndarray]] = {}
    for row in csv.DictReader((arguments.data / "index.csv").open()):
        if row["identity"] in people:
            continue
        faces = faces_of_clip(arguments.data / "crops" / row["file"], models, FRAMES)
        seen = [edge_features(unroll_band(frame, landmarks)) for frame, landmarks in faces]
        if seen:
            people[row["identity"]] = (row["split"] == "test", row["file"].startswith(WEARERS), np.array(seen))

    training = [(wearer, x) for test, wearer, x in people.values() if not test]
    x = np.concatenate([x for _, x in training])
    y = np.concatenate([np.full(len(x), wearer) for wearer, x in training])
    weight, bias = fit_logistic(x, y)
    judged = [(wearer, float((x @ weight + bias).mean())) for test, wearer, x in people.values() if test]
    wearers, scores = np.array([w for w, _ in judged]), np.array([s for _, s in judged])
    print(f"trained on {len(training)} people, {sum(w for w, _ in training)} with spectacles")
    print(
        f"unseen people: {len(judged)}, {wearers.sum()} with spectacles; AUC {area_under_curve(scores, wearers):.3f}, "
        f"found {np.mean(scores[wearers] > 0):.2f}, false alarms {np.mean(scores[~wearers] > 0):.3f}"
    )
    save_file(
        {"weight": weight.astype(np.float32), "bias": np.array([bias], np.float32)},
        arguments.output,
        metadata={"source": "public talking-head clips, labelled by eye", "licence": "CC BY-NC 4.0"},
    )


if __name__ == "__main__":
    main()
