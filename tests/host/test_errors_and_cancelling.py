"""What goes wrong ends in one clear line, leaves nothing behind, and the host lives on."""

from __future__ import annotations

import time
import urllib.error
from pathlib import Path

import pytest
from comfy_host import ComfyServer
from graphs import EDIT, node


def edit_graph(file: str, **inputs) -> dict[str, dict]:
    settings = {"emotion": "happy", "strength": 1.0, "face": "largest", **inputs}
    return {
        "1": node("THFEM_LoadVideo", file=file, start=0.0, duration=0.0),
        "2": node("THFEM_EditExpression", video=["1", 0], **settings),
        "3": node("THFEM_SaveVideo", video=["2", 0], filename_prefix="x", container="mp4", crf=-1, fps=25.0),
    }


def all_files(comfy: ComfyServer) -> set[Path]:
    return {path for kind in ("temp", "output") for path in (comfy.base / kind).rglob("*") if path.is_file()}


def refusal_or_error(comfy: ComfyServer, graph: dict) -> str:
    """Where the host does not check an input itself, the node does, with one line."""
    try:
        run = comfy.run(graph)
    except AssertionError as refused:
        return str(refused)
    assert run.status == "execution_error"
    assert "\n" not in run.error
    return run.error


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"emotion": "bored"}, ("bored", "happy")),
        ({"strength": 7.0}, ("strength", "1.5")),
        ({"face": "the left one"}, ("the left one", "largest", "all")),
        ({"face": "41"}, ("41", "face")),
    ],
)
def test_a_wrong_value_is_named_with_what_is_right(comfy, clip, inputs, words):
    before = all_files(comfy)
    message = refusal_or_error(comfy, edit_graph(clip, **inputs))
    for word in words:
        assert word in message
    assert all_files(comfy) == before


def test_a_missing_file_is_refused_before_anything_runs(comfy):
    answer = comfy.refusal(edit_graph("nothing.mp4"))
    assert "nothing.mp4" in str(answer["node_errors"]) and "input folder" in str(answer["node_errors"])


def test_a_file_outside_the_folders_is_refused(comfy):
    (comfy.base / "secret.mp4").write_bytes(b"x")
    answer = comfy.refusal(edit_graph("../secret.mp4"))
    assert "input folder" in str(answer["node_errors"])


def test_text_renamed_to_mp4_is_named(comfy):
    (comfy.base / "input" / "text.mp4").write_text("not a video")
    run = comfy.run(edit_graph("text.mp4"))
    assert run.status == "execution_error"
    assert "text.mp4" in run.error and "\n" not in run.error


def test_an_error_names_its_kind_without_the_path_of_our_module(comfy):
    (comfy.base / "input" / "text.mp4").write_text("not a video")
    run = comfy.run(edit_graph("text.mp4"))
    assert run.of("execution_error")[-1]["exception_type"] == "InputError"


def test_an_edit_whose_temporary_file_is_gone_asks_to_run_it_again(comfy, clip):
    graph = edit_graph(clip, strength=0.31)
    graph["1"]["inputs"]["duration"] = 0.2
    assert comfy.run(graph).outcome == "success"
    for path in (comfy.base / "temp").glob("thfem_*.mp4"):
        path.unlink()
    graph["3"]["inputs"]["filename_prefix"] = "y"
    run = comfy.run(graph)
    assert "run the edit again" in run.error and "\n" not in run.error


@pytest.mark.parametrize(
    ("loader", "words"),
    [
        (node("THFEM_TalkingHeadLoader", talking_head="eamm", precision="auto", device="auto", compiled=False), "eamm"),
        (node("THFEM_Editor_sserd", noise="none", seed=0), "sserd"),
    ],
    ids=["talking head", "editor"],
)
def test_missing_weights_are_found_before_any_work(comfy, loader, words):
    answer = comfy.refusal({"1": loader, "2": node("PreviewAny", source=["1", 0])})
    assert words in str(answer["node_errors"]) and "models" in str(answer["node_errors"])


def test_a_curve_that_cannot_be_read_is_refused_before_faces_are_searched(comfy, clip):
    graph = edit_graph(clip)
    graph["5"] = node("THFEM_TrackFaces", video=["1", 0], order="size", max_faces=1, fps=25.0)
    graph["2"] = node("THFEM_SPFEMEdit", video=["1", 0], tracks=["5", 0], **(EDIT | {"curve": "soon"}))
    assert "soon" in str(comfy.refusal(graph)["node_errors"])


def test_a_talking_head_without_its_files_is_refused_before_faces_are_searched(comfy, clip):
    answer = comfy.refusal(edit_graph(clip, talking_head="eamm"))
    assert "eamm" in str(answer["node_errors"])


def test_a_wrong_socket_is_refused(comfy, clip):
    graph = edit_graph(clip)
    graph["2"] = node("THFEM_TrackFaces", video=["1", 1], order="size", max_faces=4, fps=25.0)
    graph["3"]["inputs"]["video"] = ["2", 1]
    answer = comfy.refusal(graph)
    assert "mismatch" in str(answer["node_errors"])


@pytest.mark.parametrize(
    ("duration", "words"), [(0.2, "only 5"), (1.0, "more")], ids=["tracks of a longer part", "tracks of a shorter part"]
)
def test_tracks_of_another_part_are_refused(comfy, clip, duration, words):
    before = all_files(comfy)
    graph = edit_graph(clip)
    graph["1"]["inputs"]["duration"] = duration
    graph["4"] = node("THFEM_LoadVideo", file=clip, start=0.0, duration=0.6)
    graph["5"] = node("THFEM_TrackFaces", video=["4", 0], order="size", max_faces=4, fps=25.0)
    graph["2"] = node("THFEM_SPFEMEdit", video=["1", 0], tracks=["5", 0], **EDIT)
    run = comfy.run(graph)
    assert run.status == "execution_error"
    assert words in run.error and "Track Faces" in run.error
    left = {path for path in all_files(comfy) - before if path.suffix != ".png"}  # the picture of Track Faces
    assert not left


def test_tracks_of_another_clip_are_refused(comfy, clip, plain_clip):
    graph = edit_graph(clip)
    graph["4"] = node("THFEM_LoadVideo", file=plain_clip, start=0.0, duration=0.0)
    graph["5"] = node("THFEM_TrackFaces", video=["4", 0], order="size", max_faces=4, fps=25.0)
    graph["2"] = node("THFEM_SPFEMEdit", video=["1", 0], tracks=["5", 0], **EDIT)
    run = comfy.run(graph)
    assert run.status == "execution_error"
    assert "160×96" in run.error and "Track Faces" in run.error


def test_saving_outside_the_output_folder_is_refused(comfy, plain_clip):
    graph = edit_graph(plain_clip)
    graph["3"]["inputs"] |= {"video": ["1", 0], "filename_prefix": "../../escaped"}
    run = comfy.run(graph)
    assert run.status == "execution_error"
    assert "output folder" in run.error
    assert not list(comfy.base.parent.glob("escaped*"))


def test_a_cancelled_run_leaves_no_file_and_a_living_host(comfy, clip, shipped):
    graph = edit_graph(clip, strength=0.77)
    before = all_files(comfy)
    seen = []

    def cancel(event: dict) -> None:
        data = event.get("data", {})
        if event["type"] == "progress" and data["node"] == "2" and data["value"] / data["max"] > 0.6 and not seen:
            seen.append(data)
            comfy.raw("/interrupt", {})

    run = comfy.run(graph, on_event=cancel)
    assert seen, "the run was over before it could be cancelled"
    assert run.status == "execution_interrupted"
    assert all_files(comfy) == before
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            assert comfy.alive
            break
        except urllib.error.URLError:
            time.sleep(0.2)
    assert comfy.alive
