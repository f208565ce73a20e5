"""Metrics and Compare Videos, executed inside a host's interpreter."""

from __future__ import annotations

import pytest
from comfy_host import REPO, run_in_host


@pytest.fixture(scope="module")
def facts(comfy_folder, demo_clip, node_definitions, tmp_path_factory):
    script = REPO / "tests" / "nodes" / "metrics_facts.py"
    return run_in_host(comfy_folder, script, tmp_path_factory.mktemp("metrics"), str(demo_clip))


def test_a_copy_is_measured_and_shown(facts):
    metrics = facts["metrics"]
    assert "lip opening follows the source 1.000" in " ".join(metrics["table"].split())
    assert "SSIM to the true clip" in metrics["table"]
    assert metrics["plots"] == [1, 320, 768, 3]
    assert metrics["verdict"][0][2:] == [1100, 3] and metrics["verdict"][1] > 0.05  # not white
    assert metrics["ui"]["images"] == 1 and metrics["shown_text"]


def test_unusable_inputs_are_one_line(facts):
    for message, words in ((facts["metrics"]["no_face"], "no face found"), (facts["metrics"]["official"], "offline")):
        assert message.startswith("InputError") and words in message and "\n" not in message


def test_two_clips_in_one_video(facts):
    compare = facts["compare"]
    assert compare["frames"][0] == compare["frames"][1] and compare["size"] == [512, 1024]
    assert max(compare["errors"]) < 0.02 and compare["sound"] and "images" in compare["shown"]
    assert compare["images"] == [14, 256, 256, 3]
