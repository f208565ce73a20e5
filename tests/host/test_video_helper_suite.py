"""Clips from and to VideoHelperSuite, by its conventions (``vhs_conventions.py``): images, lazy sound, lengths."""

from __future__ import annotations

import json

import pytest
from graphs import node

RATE = 25.0


def combined(comfy, *edit: dict) -> dict:
    """What the combiner saw of the last of these nodes, number 2 and up, whose images and sound are outputs 1 and 2."""
    last = str(len(edit) + 1)
    graph = {"1": node("VHS_LoadVideo", video="thfem_demo.mp4")}
    graph |= {str(number): each for number, each in enumerate(edit, 2)}
    images, audio = (["1", 0], ["1", 2]) if not edit else ([last, 1], [last, 2])
    graph["9"] = node("VHS_VideoCombine", images=images, frame_rate=RATE, audio=audio)
    run = comfy.run(graph)
    assert run.outcome == "success"
    return json.loads((comfy.base / "output" / "combined.json").read_text())


def test_as_many_images_and_as_much_sound_come_out(comfy):
    before = combined(comfy)
    edit = node("THFEM_EditExpression", video=["1", 0], audio=["1", 2], fps=RATE, emotion="happy", strength=1.0,
                face="largest", talking_head="none")  # fmt: skip
    after = combined(comfy, edit)
    assert after["frames"] == before["frames"] == 126
    assert after["size"] == before["size"] == [512, 512, 3]
    assert after["sound"] == pytest.approx(before["sound"], abs=1e-3)


def test_tracked_images_go_back_without_their_sound(comfy):
    widgets = {"emotion": "sad", "strength": 1.0, "face": "largest", "curve": "0:1", "editor": "mesh", "fps": RATE}
    graph = {
        "1": node("VHS_LoadVideo", video="thfem_demo.mp4"),
        "2": node("ImageFromBatch", image=["1", 0], batch_index=0, length=10),
        "3": node("THFEM_TrackFaces", video=["2", 0], order="left-right", max_faces=8, fps=RATE),
        "4": node("THFEM_SPFEMEditImages", images=["2", 0], tracks=["3", 0], brows=1.0, eyes=1.0, cheeks=1.0,
                  mouth=1.0, **widgets),
        "5": node("VHS_VideoCombine", images=["4", 0], frame_rate=RATE),
    }  # fmt: skip
    assert comfy.run(graph).outcome == "success"
    seen = json.loads((comfy.base / "output" / "combined.json").read_text())
    assert seen == {"frames": 10, "size": [512, 512, 3], "seconds": 0.4, "sound": None}
