"""Make ``tests/data/mediapipe_goldens.npz``: what the originals say, so that tests need none of them.

In an environment of its own, with ``pip install mediapipe==0.10.21 ai-edge-litert av``:

    python tests/tools/make_mediapipe_goldens.py FOLDER_OF_CLIPS

The folder holds 256 × 256 face clips; one frame of each of 28 people (by file name, before "__") is used.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import av
import flatbuffers
import mediapipe
import mediapipe.python.solutions.face_mesh  # registers the calculators
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from mediapipe.python.solution_base import SolutionBase

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "face"))
from portrait import portrait_variants  # noqa: E402

MODULES = Path(mediapipe.__file__).parent / "modules"
DETECTORS = {
    "short_range": (MODULES / "face_detection" / "face_detection_short_range.tflite", 128),
    "full_range": (MODULES / "face_detection" / "face_detection_full_range_sparse.tflite", 192),
}
MESH = MODULES / "face_landmark" / "face_landmark_with_attention.tflite"
FRAME = 12
PEOPLE = 28
TOP = 12  # rows of a detector's output that are kept


class Package:
    """MediaPipe's own graph, as FaceMesh(static_image_mode=True, refine_landmarks=True) runs it."""

    def __init__(self) -> None:
        self._graph = SolutionBase(
            binary_graph_path="mediapipe/modules/face_landmark/face_landmark_front_cpu.binarypb",
            side_inputs={"num_faces": 1, "with_attention": True, "use_prev_landmarks": False},
            outputs=["multi_face_landmarks", "face_rects_from_detections", "face_detections"],
        )

    def __call__(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """box (4,), roi (4,: cx, cy, side, rotation) and landmarks (478, 3), in pixels as MediaPipe counts them."""
        size = image.shape[1]
        result = self._graph.process({"image": image})
        box = result.face_detections[0].location_data.relative_bounding_box
        roi = result.face_rects_from_detections[0]
        points = result.multi_face_landmarks[0].landmark
        corners = (box.xmin, box.ymin, box.xmin + box.width, box.ymin + box.height)
        return {
            "box": np.multiply(corners, size, dtype=np.float32),
            "roi": np.array([roi.x_center * size, roi.y_center * size, roi.width * size, roi.rotation]),
            "landmarks": np.array([(p.x, p.y, p.z) for p in points], np.float32) * size,
        }


def run_tflite(model: Path, picture: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs by name for one float32 (H, W, 3) picture."""
    interpreter = Interpreter(str(model))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture[None].astype(np.float32))
    interpreter.invoke()
    return {o["name"]: interpreter.get_tensor(o["index"])[0] for o in interpreter.get_output_details()}


def best_rows(model: Path, image: np.ndarray) -> dict[str, np.ndarray]:
    """The rows of highest score of a detector: their numbers, raw scores and raw boxes."""
    outputs = sorted(run_tflite(model, image / np.float32(127.5) - 1).values(), key=lambda o: o.shape[-1])
    rows = np.argsort(-outputs[0][:, 0])[:TOP]
    return {"rows": rows.astype(np.int32), "scores": outputs[0][rows, 0], "boxes": outputs[1][rows]}


def plain_mesh(folder: Path) -> Path:
    """The mesh model without the regions, whose operators only MediaPipe has."""
    model = schema.ModelT.InitFromPackedBuf(MESH.read_bytes(), 0)
    graph = model.subgraphs[0]
    wanted = (b"output_mesh_identity", b"conv_faceflag")
    graph.outputs = [i for i in graph.outputs if graph.tensors[i].name in wanted]
    producer = {out: operator for operator in graph.operators for out in operator.outputs}
    needed: set[int] = set()
    stack = list(graph.outputs)
    while stack:
        operator = producer.get(stack.pop())
        if operator is not None and id(operator) not in needed:
            needed.add(id(operator))
            stack += list(operator.inputs)
    graph.operators = [operator for operator in graph.operators if id(operator) in needed]
    model.signatureDefs = model.metadata = None
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = folder / "mesh.tflite"
    path.write_bytes(builder.Output())
    return path


def clip_frames(folder: Path) -> dict[str, np.ndarray]:
    """Frame :data:`FRAME` of one clip per person, evenly over the alphabet, by file name."""
    people = {path.name.split("__")[0]: path for path in sorted(folder.glob("*.mp4"), reverse=True)}
    paths = sorted(people.values())
    frames = {}
    for path in paths[:: max(1, len(paths) // PEOPLE)][:PEOPLE]:
        with av.open(str(path)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number == FRAME:
                    frames[path.name] = frame.to_ndarray(format="rgb24")
                    break
    return frames


def main(clips: Path) -> None:
    package, goldens = Package(), {}
    variants = portrait_variants()
    frames = clip_frames(clips)
    goldens["clips"] = np.array(list(frames))
    goldens["clip_frame"] = np.array(FRAME)
    for group, images in (("portrait", variants), ("clip", frames.values())):
        results = [package(image) for image in images]
        goldens |= {f"{group}_{key}": np.stack([r[key] for r in results]) for key in results[0]}
    for name, (model, side) in DETECTORS.items():
        results = [best_rows(model, image) for image in portrait_variants(side)]
        goldens |= {f"{name}_{key}": np.stack([r[key] for r in results]) for key in results[0]}
    with tempfile.TemporaryDirectory() as folder:
        model = plain_mesh(Path(folder))
        results = [run_tflite(model, image / np.float32(255)) for image in portrait_variants(192)[6:12]]
    goldens["mesh_identity"] = np.stack([r["output_mesh_identity"].reshape(-1, 3) for r in results])
    goldens["mesh_presence"] = np.stack([r["conv_faceflag"].reshape(()) for r in results])
    np.savez_compressed(TESTS / "data" / "mediapipe_goldens.npz", **goldens)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
