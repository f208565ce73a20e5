"""How well the mesh editor's rules read a face: does it wear spectacles, and which emotion does it show?

    python -m benchmarks.face_rules DATA [--only spectacles | emotions]

DATA holds ``index.csv`` (columns file, identity, split, emotion), ``crops/`` and ``ned_pairs/``. The rules have no
weights; their constants were chosen on the splits train and val (docs/quality.md says where test was looked at). Who
wears spectacles was seen by eye, once per person: WEARERS, judged from five frames of one clip per person. Emotions are
read from twelve frames per clip, as of a reference, and of neutral clips also as of the face to edit.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from thfem_core.expression.mesh.plan import NEUTRAL_REFERENCE, sharpened
from thfem_core.expression.mesh.recognition import recognise
from thfem_core.expression.mesh.spectacles import WORN_FROM, bridge_strength
from thfem_core.expression.request import EMOTIONS
from thfem_core.face.models import FaceModels, default_face_models
from training.build_emotion_map import read_clip
from training.clip_faces import faces_of_clip

from .judge import markdown_table

# Starts of the file names of people with spectacles in their first clip.
WEARERS = (
    *("hdtf-RD_Radio13_", "hdtf-RD_Radio18_", "hdtf-RD_Radio51_", "hdtf-RD_Radio42_", "hdtf-WRA_PeterRoskam0"),
    *("liveportrait-driving-d12", "liveportrait-driving-d13", "liveportrait-driving-d19", "liveportrait-driving-d9_"),
    *("sadtalker-source-image-WDA-BobMenendez", "styleheat-videos-video_", "spectre-LRS3-0Fi83BHQsMA"),
    *("grid-lipnet-lbax4n", "v-express-prepare-dataset-RD-Radio10", "av2av-12_", "av2av-11_"),
    *("styletalk-sad_emotion", "lrs3-jcp5vvxtEaU", "lrs3-wlR1ojoiue0", "lrs3-8UhqkX2VAmo", "lrs3-TUxwiVFgghE"),
    *("lrs3-jtVIDBs60S8", "lrs3-PSlBlZ3hqKc", "lrs3-KxLMjn4WPBY", "lrs3-JSSc7hYKstI"),
    *("transface-en-fr-demo2", "transface-fr-en-demo1", "transface-es2", "lrs3-0gks6ceq4eQ"),
)
FRAMES = 5


def area_under_curve(score: np.ndarray, wearer: np.ndarray) -> float:
    """Probability that a wearer scores above a non-wearer."""
    return float((score[wearer][:, None] > score[~wearer][None]).mean())


def spectacles_table(data: Path, models: FaceModels, rows: Iterable[dict[str, str]]) -> str:
    """Found and falsely found spectacles by split, and who was judged wrongly."""
    people: dict[str, tuple[str, str, bool, float]] = {}
    for row in rows:
        if row["identity"] in people:
            continue
        seen = [bridge_strength(*face) for face in faces_of_clip(data / "crops" / row["file"], models, FRAMES)]
        if seen:
            part = "test" if row["split"] == "test" else "train, val"
            people[row["identity"]] = (part, row["file"], row["file"].startswith(WEARERS), float(np.mean(seen)))
    table, wrong = [], []
    for part in ("train, val", "test"):
        of_part = [person for person in people.values() if person[0] == part]
        wearer, score = np.array([p[2] for p in of_part]), np.array([p[3] for p in of_part])
        found, false = np.mean(score[wearer] > WORN_FROM), np.mean(score[~wearer] > WORN_FROM)
        area = area_under_curve(score, wearer)
        table.append([part, len(of_part), wearer.sum(), f"{area:.3f}", f"{found:.2f}", f"{false:.3f}"])
        for _, file, worn, strength in of_part:
            if worn != (strength > WORN_FROM):
                wrong.append(f"{file}: {'missed' if worn else 'false alarm'}, {strength:.2f}")
    header = ["spectacles", "people", "with", "area under the curve", "found", "false alarms"]
    return "\n".join([markdown_table(header, table), "", *wrong])


def emotions_table(title: str, clips: Sequence[tuple[Path, str]], models: FaceModels) -> str:
    """What each emotion is read as."""
    read_as = {emotion: Counter[str]() for emotion in EMOTIONS}
    still = Counter[bool]()
    for path, emotion in clips:
        expression = read_clip(path, models)
        if expression is None:
            continue
        posterior = recognise(expression)
        asked = sharpened(posterior, neutral=NEUTRAL_REFERENCE)
        read_as[emotion][max(asked, key=lambda each: asked[each])] += 1
        if emotion == "neutral":
            still[max(posterior, key=lambda each: posterior[each]) == "neutral"] += 1
    rows = []
    for emotion, counts in read_as.items():
        others = ", ".join(f"{other} {n}" for other, n in counts.most_common() if other != emotion)
        rows.append([emotion, counts.total(), counts[emotion], others])
    rows.append(["**all**", sum(row[1] for row in rows), sum(row[2] for row in rows), ""])
    note = f"\n\nAs faces to edit, {still[True]} of {still.total()} neutral ones are read as neutral."
    return markdown_table([title, "clips", "right", "taken for"], rows) + note


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=("spectacles", "emotions"))
    arguments = parser.parse_args()
    data, models = arguments.data, default_face_models(torch.device("cpu"))
    with (data / "index.csv").open() as index:
        rows = list(csv.DictReader(index))
    if arguments.only != "emotions":
        print(spectacles_table(data, models, rows) + "\n")
    if arguments.only == "spectacles":
        return
    pairs = sorted((data / "ned_pairs").glob("*_ref.mp4"))
    print(emotions_table("NED's references", [(path, path.name.split("_")[1]) for path in pairs], models) + "\n")
    for title, splits in (("train, val", ("train", "val")), ("test", ("test",))):
        labelled = [row for row in rows if row["split"] in splits and row["emotion"] in EMOTIONS]
        print(emotions_table(title, [(data / "crops" / r["file"], r["emotion"]) for r in labelled], models) + "\n")


if __name__ == "__main__":
    main()
