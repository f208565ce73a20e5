"""The workflow that compares two edits, run in a real ComfyUI on half a second of a clip."""

from __future__ import annotations

import json

import numpy as np
from comfy_host import REPO
from media_facts import facts


def test_two_edits_get_a_verdict_each_and_one_video(comfy, clip, tmp_path):
    graph = json.loads((REPO / "workflows" / "api" / "07 Compare Two Edits.json").read_text(encoding="utf-8"))
    by_type = {kind: [key for key, node in graph.items() if node["class_type"] == kind] for kind in (
        "THFEM_LoadVideo", "THFEM_Metrics", "THFEM_CompareVideos"
    )}  # fmt: skip
    (load,), verdicts, (both,) = by_type.values()
    graph[load]["inputs"] |= {"file": clip, "duration": 0.6}
    for key in verdicts:
        graph[key]["inputs"]["networks"] = "none"
    run = comfy.run(graph)
    assert run.outcome == "success"
    outputs = comfy.history(run)["outputs"]
    tables = [outputs[key]["text"][0] for key in verdicts]
    assert all("lip opening follows the source" in table for table in tables) and tables[0] != tables[1]
    assert all(outputs[key]["images"] for key in verdicts)
    (shown,) = run.files(both)
    pictures = facts(comfy.fetch(shown, tmp_path)).frames
    left, right = np.split(pictures.astype(np.int16), 2, axis=2)
    assert 0.1 < np.abs(left - right).mean() < 20, "the two edits differ, and only in the face"
