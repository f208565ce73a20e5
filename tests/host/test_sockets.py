"""Every kind of clip a graph can hold goes through the nodes: parts, images, built videos, clips without a face."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from graphs import EDIT, node
from media_facts import changed, facts


def save(video: list, **more) -> dict:
    return node("THFEM_SaveVideo", video=video, filename_prefix="s", container="mp4", crf=-1, fps=25.0, **more)


def track(video: list) -> dict:
    return node("THFEM_TrackFaces", video=video, order="left-right", max_faces=8, fps=25.0)


def test_a_part_of_a_clip(comfy, clip, clip_facts, tmp_path):
    graph = {"1": node("THFEM_LoadVideo", file=clip, start=1.0, duration=0.6), "2": save(["1", 0])}
    run = comfy.run(graph)
    assert run.outcome == "success"
    part = facts(comfy.fetch(run.files("2")[0], tmp_path))
    first = next(i for i, time in enumerate(clip_facts.times) if time >= 1)
    count = sum(1 <= time < Fraction(8, 5) for time in clip_facts.times)
    assert len(part.frames) == count
    reference = clip_facts.frames[first : first + count].astype(np.int16)
    assert np.abs(part.frames.astype(np.int16) - reference).mean() < 4
    seconds = float(len(part.frames) / part.rate)
    if clip_facts.samples is not None:
        rate = clip_facts.samples.shape[-1] / float(clip_facts.times[-1] + 1 / clip_facts.rate)
        assert part.samples.shape[-1] / rate == pytest.approx(seconds, abs=0.12)


def test_core_nodes_can_use_a_part_of_a_clip(comfy, clip):
    graph = {
        "1": node("THFEM_LoadVideo", file=clip, start=1.0, duration=0.2),
        "2": node("GetVideoComponents", video=["1", 0]),
        "3": node("PreviewImage", images=["2", 0]),
    }
    run = comfy.run(graph)
    assert run.outcome == "success"
    assert len(run.files("3")) == 5


def test_images_with_sound_and_rate(comfy, clip, tmp_path):
    graph = {
        "1": node("THFEM_LoadVideo", file=clip, start=0.0, duration=0.4),
        "2": node("GetVideoComponents", video=["1", 0]),
        "3": track(["2", 0]),
        "4": node("THFEM_SPFEMEditImages", images=["2", 0], tracks=["3", 0], fps=25.0, **EDIT),
        "5": node("THFEM_LoadAudio", audio=clip, start=0.0, duration=0.4),
        "6": save(["4", 0], audio=["5", 0]),
        "7": node("PreviewImage", images=["2", 0]),
        "8": node("PreviewImage", images=["4", 0]),
    }
    run = comfy.run(graph)
    assert run.outcome == "success"
    before, after = (
        [cv2.imread(str(comfy.fetch(shown, tmp_path))).astype(int) for shown in run.files(number)]
        for number in ("7", "8")
    )
    assert len(before) == len(after) > 0
    touched = np.any([np.any(a != b, axis=2) for a, b in zip(before, after, strict=True)], axis=0)
    assert 0.005 < touched.mean() < 0.7, "the face changed, and nothing else by a single level"
    saved = facts(comfy.fetch(run.files("6")[0], tmp_path))
    assert len(saved.frames) == len(after) and saved.samples is not None
    assert "ComfyUI-THFEM" in saved.metadata["thfem"]


def test_strength_zero_returns_the_same_images(comfy, clip, tmp_path):
    graph = {
        "1": node("THFEM_LoadVideo", file=clip, start=0.0, duration=0.2),
        "2": node("GetVideoComponents", video=["1", 0]),
        "3": track(["2", 0]),
        "4": node("THFEM_SPFEMEditImages", images=["2", 0], tracks=["3", 0], fps=25.0, **{**EDIT, "strength": 0.0}),
        "7": node("PreviewImage", images=["2", 0]),
        "8": node("PreviewImage", images=["4", 0]),
    }
    run = comfy.run(graph)
    assert run.outcome == "success"
    for before, after in zip(run.files("7"), run.files("8"), strict=True):
        pictures = [cv2.imread(str(comfy.fetch(shown, tmp_path))) for shown in (before, after)]
        np.testing.assert_array_equal(*pictures)


def test_a_video_built_from_images(comfy, clip, tmp_path):
    graph = {
        "1": node("THFEM_LoadVideo", file=clip, start=0.0, duration=0.4),
        "2": node("GetVideoComponents", video=["1", 0]),
        "3": node("CreateVideo", images=["2", 0], fps=["2", 2], audio=["2", 1]),
        "4": node("THFEM_EditExpression", video=["3", 0], emotion="angry", strength=1.0, face="0"),
        "5": save(["4", 0]),
    }
    run = comfy.run(graph)
    assert run.outcome == "success"
    edited = facts(comfy.fetch(run.files("5")[0], tmp_path))
    assert len(edited.frames) == 10 and edited.samples is not None


@pytest.mark.parametrize("reference", [["2", 0], ["6", 0]], ids=["a clip", "a picture"])
def test_an_expression_is_copied_from_a_reference(comfy, clip, tmp_path, reference):
    graph = {
        "1": node("THFEM_LoadVideo", file=clip, start=0.0, duration=0.4),
        "2": node("THFEM_LoadVideo", file=clip, start=1.0, duration=0.4),
        "3": node(
            "THFEM_EditExpression",
            video=["1", 0],
            emotion="happy",
            strength=1.0,
            face="all",
            reference=reference,
        ),
        "4": save(["3", 0]),
        "5": node("GetVideoComponents", video=["2", 0]),
        "6": node("ImageFromBatch", image=["5", 0], batch_index=0, length=1),
    }
    run = comfy.run(graph)
    assert run.outcome == "success"
    assert len(facts(comfy.fetch(run.files("4")[0], tmp_path)).frames) == 10


def test_frames_of_another_system_pass_through(comfy, clip, tmp_path):
    graph = {
        "1": node("THFEM_LoadVideo", file=clip, start=0.0, duration=0.4),
        "2": track(["1", 0]),
        "3": node("GetVideoComponents", video=["1", 0]),
        "4": node("ImageInvert", image=["3", 0]),
        "5": node(
            "THFEM_SPFEMEdit", video=["1", 0], tracks=["2", 0], edited_frames=["4", 0], **{**EDIT, "editor": "frames"}
        ),
        "6": save(["5", 0]),
        "7": save(["1", 0]),
    }
    run = comfy.run(graph)
    assert run.outcome == "success"
    taken, source = (facts(comfy.fetch(run.files(number)[0], tmp_path)) for number in ("6", "7"))
    assert taken.frames.shape == source.frames.shape
    assert np.median(changed(source, taken)) > 5


def test_a_clip_without_a_face_passes_through(comfy, plain_clip, tmp_path):
    graph = {
        "1": node("THFEM_LoadVideo", file=plain_clip, start=0.0, duration=0.0),
        "2": node("THFEM_EditExpression", video=["1", 0], emotion="happy", strength=1.0, face="largest"),
        "3": save(["2", 0]),
    }
    run = comfy.run(graph)
    assert run.outcome == "success"
    result = facts(comfy.fetch(run.files("3")[0], tmp_path))
    source = facts(comfy.base / "input" / plain_clip)
    assert result.times == source.times and result.samples is None
    assert changed(source, result).max() < 3


def test_saving_again_at_another_quality(comfy, plain_clip, tmp_path):
    graph = {"1": node("THFEM_LoadVideo", file=plain_clip, start=0.0, duration=0.0)}
    sizes = []
    for crf in (10, 40):
        graph["2"] = save(["1", 0])
        graph["2"]["inputs"] |= {"crf": crf, "container": "mkv"}
        run = comfy.run(graph)
        assert run.outcome == "success"
        path = comfy.fetch(run.files("2")[0], tmp_path)
        assert path.suffix == ".mkv" and len(facts(path).frames) == 12
        sizes.append(path.stat().st_size)
    assert sizes[0] > sizes[1]
