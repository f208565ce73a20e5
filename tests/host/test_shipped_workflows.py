"""The shipped workflows, run in a real ComfyUI on a talking clip."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from comfy_host import REPO, ComfyServer, Run
from graphs import node
from media_facts import Facts, changed, facts


def node_of(graph: dict, class_type: str) -> str:
    return next(key for key, node in graph.items() if node["class_type"] == class_type)


def progress_of(run: Run, node: str) -> list[float]:
    """Finished share of a node, in the order in which the host reported it."""
    return [data["value"] / data["max"] for data in run.of("progress") if data["node"] == node]


def check_result(run: Run, graph: dict, comfy: ComfyServer, source: Facts, folder: Path) -> Facts:
    (shown,) = run.files(node_of(graph, "THFEM_SaveVideo"))
    assert shown["type"] == "output" and shown["filename"].endswith(".mp4")
    result = facts(comfy.fetch(shown, folder))
    assert result.frames.shape == source.frames.shape
    assert result.rate == source.rate
    assert result.times == source.times
    if source.samples is None:
        assert result.samples is None
    else:
        np.testing.assert_array_equal(result.samples, source.samples)
    return result


@pytest.mark.parametrize(
    ("name", "editing"),
    [("01 Edit Expression", "THFEM_EditExpression"), ("06 Stage by Stage", "THFEM_AdjacentFrameTalkingHead")],
)
def test_a_shipped_workflow_edits_the_clip(name, editing, comfy, clip, clip_facts, shipped, tmp_path):
    graph = shipped(name, clip)
    workflow = json.loads((REPO / "workflows" / f"{name}.json").read_text(encoding="utf-8"))
    run = comfy.run(graph, workflow=workflow)
    assert run.outcome == "success"
    result = check_result(run, graph, comfy, clip_facts, tmp_path)

    difference = changed(clip_facts, result)
    assert 0.3 < np.median(difference) < 20, "an edit of the face alone"
    assert "ComfyUI-THFEM" in result.metadata["thfem"] and "ynthetic" in result.metadata["comment"]
    assert json.loads(result.metadata["prompt"]).keys() == graph.keys()
    assert json.loads(result.metadata["workflow"]) == workflow

    shares = progress_of(run, node_of(graph, editing))
    assert shares == sorted(shares) and len(shares) >= 3 and shares[-1] == 1

    history = comfy.history(run)
    assert history["outputs"][node_of(graph, "THFEM_SaveVideo")]["images"] == run.files(
        node_of(graph, "THFEM_SaveVideo")
    )

    again = comfy.run(graph)
    assert again.outcome == "success" and set(again.cached) == set(graph)


def test_the_shipped_portrait_speaks(comfy, shipped, demo_clip, tmp_path):
    graph = shipped("05 Talking Portrait", "thfem_demo.mp4")
    graph[node_of(graph, "THFEM_LoadAudio")]["inputs"]["duration"] = 1.2
    run = comfy.run(graph)
    assert run.outcome == "success"
    (shown,) = run.files(node_of(graph, "THFEM_SaveVideo"))
    result = facts(comfy.fetch(shown, tmp_path))
    assert len(result.frames) == 30 and result.rate == 25
    assert result.samples is not None
    moved = np.abs(result.frames[1:].astype(int) - result.frames[:1]).mean(axis=(0, 3))
    height, width = moved.shape
    mouth = moved[int(0.5 * height) : int(0.65 * height), int(0.4 * width) : int(0.6 * width)]
    assert mouth.mean() > 2 * moved[: height // 3].mean(), "the lips move, and the rest only as the encoder shimmers"


def test_another_strength_does_not_track_again(comfy, clip, shipped):
    graph = shipped("06 Stage by Stage", clip)
    comfy.run(graph)
    graph[node_of(graph, "THFEM_SPFEMEdit")]["inputs"]["strength"] = 0.5
    run = comfy.run(graph)
    assert run.outcome == "success"
    for kept in ("THFEM_TrackFaces", "THFEM_PoseEncode", "THFEM_AudioWindow"):
        assert node_of(graph, kept) in run.cached
    for anew in ("THFEM_SPFEMEdit", "THFEM_AdjacentFrameTalkingHead"):
        assert node_of(graph, anew) in run.executed


def test_tracking_shows_its_numbered_preview(comfy, clip, clip_facts, tmp_path):
    graph = {
        "1": node("THFEM_LoadVideo", file=clip, start=0.0, duration=1.0),
        "2": node("THFEM_TrackFaces", video=["1", 0], order="size", max_faces=2, fps=25.0),
        "3": node("PreviewImage", images=["2", 1]),
    }
    run = comfy.run(graph)
    assert run.outcome == "success"
    own, output = (cv2.imread(str(comfy.fetch(run.files(key)[0], tmp_path))).astype(int) for key in ("2", "3"))
    np.testing.assert_array_equal(own, output)
    height, width = clip_facts.frames.shape[1:3]
    assert own.shape[0] / own.shape[1] == pytest.approx(height / width, abs=0.02)
    blue, green, red = own[..., 0], own[..., 1], own[..., 2]
    assert ((green > 180) & (green - red > 90) & (green - blue > 60)).mean() > 0.001, "a green outline is drawn"


def test_the_front_end_gets_templates_help_and_translations(comfy):
    names = sorted(path.stem for path in (REPO / "workflows").glob("*.json"))
    assert sorted(comfy.get("/workflow_templates")["ComfyUI-THFEM"]) == names
    for name in names:
        assert comfy.raw(f"/api/workflow_templates/ComfyUI-THFEM/{quote(name)}.jpg")[:2] == b"\xff\xd8"
        assert comfy.get(f"/api/workflow_templates/ComfyUI-THFEM/{quote(name)}.json")["nodes"]
    page = comfy.raw("/extensions/ComfyUI-THFEM/docs/THFEM_SPFEMEdit/zh.md").decode()
    assert page.startswith("# 编辑已追踪的人脸")
    assert comfy.get("/i18n")["zh"]["nodeDefs"]["THFEM_SaveVideo"]["inputs"]["container"]["name"] == "文件类型"


def test_the_model_folder_is_listed_without_other_files(comfy):
    folder = comfy.base / "models" / "thfem"
    folder.mkdir(exist_ok=True)
    for name in ("head.safetensors", "readme.txt"):
        (folder / name).write_bytes(b"")
    assert comfy.get("/models/thfem") == ["head.safetensors"]


def test_the_demo_files_are_offered(comfy, demo_clip):
    assert (comfy.base / "input" / "thfem_demo.mp4").read_bytes() == demo_clip.read_bytes()
    portrait = demo_clip.with_name("portrait.jpg")
    assert (comfy.base / "input" / "thfem_portrait.jpg").read_bytes() == portrait.read_bytes()
    files = comfy.get("/object_info/THFEM_LoadVideo")["THFEM_LoadVideo"]["input"]["required"]["file"][1]["options"]
    assert "thfem_demo.mp4" in files
