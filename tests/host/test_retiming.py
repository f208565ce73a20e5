"""Prepare Speech and Align Speech in a running host, on the sockets of its own nodes."""

from __future__ import annotations

import pytest
from graphs import node
from media_facts import facts


def test_a_clip_is_retimed_to_a_part_of_itself(comfy, clip, tmp_path):
    graph = {
        "1": node("THFEM_LoadVideo", file=clip, start=0.0, duration=2.0),
        "2": node("THFEM_LoadVideo", file=clip, start=0.2, duration=2.0),
        "3": node("THFEM_DTWAlign", first=["1", 0], second=["2", 0], features="mfcc", band=0.5),
        "4": node("THFEM_SaveVideo", video=["3", 0], filename_prefix="s", container="mp4", crf=-1, fps=25.0),
        "5": node("THFEM_LoadVideo", file=clip, start=0.0, duration=2.0),
        "6": node("PreviewImage", images=["3", 1]),
        "7": node("THFEM_AudioWindow", sound=["1", 1]),
        "8": node("PreviewImage", images=["7", 1]),
    }
    run = comfy.run(graph)
    assert run.outcome == "success"
    retimed = facts(comfy.fetch(run.files("4")[0], tmp_path))
    assert len(retimed.frames) == pytest.approx(2 * float(retimed.rate), abs=1)
    assert retimed.samples is not None
    assert len(run.files("6")) == len(run.files("8")) == 1


def test_a_clip_without_sound_is_named(comfy, clip, plain_clip):
    graph = {
        "1": node("THFEM_LoadVideo", file=clip, start=0.0, duration=1.0),
        "2": node("THFEM_LoadVideo", file=plain_clip, start=0.0, duration=0.0),
        "3": node("THFEM_DTWAlign", first=["1", 0], second=["2", 0], features="mel", band=0.0),
        "4": node("THFEM_SaveVideo", video=["3", 0], filename_prefix="s", container="mp4", crf=-1, fps=25.0),
    }
    run = comfy.run(graph)
    assert "plain.mp4" in run.error and "no sound" in run.error
