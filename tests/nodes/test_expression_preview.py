"""Expression Preview, the expression it hands on, and what users are told."""

from __future__ import annotations

import pytest
from comfy_host import REPO, run_in_host


@pytest.fixture(scope="module")
def facts(comfy_folder, demo_clip, node_definitions, tmp_path_factory):
    script = REPO / "tests" / "nodes" / "preview_facts.py"
    return run_in_host(comfy_folder, script, tmp_path_factory.mktemp("preview"), str(demo_clip), timeout=600)


def test_shows_a_frame_before_and_after(facts):
    preview = facts["preview"]
    assert preview["sizes"] == [[1, 512, 1024, 3], [1, 512, 512, 3]]
    assert preview["changed"] > 0.002 and preview["shown"] == 1
    assert preview["from_images"] == [1, 512, 1024, 3]


def test_says_what_it_did(facts):
    preview = facts["preview"]
    assert preview["text"].startswith("Frame 62, 2.48 s: 1 face edited") and "about as the edit" in preview["text"]
    assert preview["exact_text"].endswith("as the edit will show it")
    assert preview["exact_near"] < 0.001  # of 1: faces of the whole clip, or of the frames around
    assert "no face that can be edited here" in preview["no_face"]


def test_contact_sheet(facts):
    assert facts["preview"]["sheet"][2] > 700


def test_presets_are_by_name_and_saved_by_the_user(facts):
    preview = facts["preview"]
    assert preview["request"] == ["happy", 1.0]
    assert preview["preset"] == ["happy", pytest.approx(0.3)]
    assert preview["saved"] == [0.7, True, 0.7] and preview["saved_file"] and preview["fingerprints"]
    assert "plain name" in preview["bad_name"] and "name of a preset of the package" in preview["shipped_name"]


def test_a_drawn_curve_covers_the_clip_where_the_host_has_one(facts, node_definitions):
    drawn = facts["preview"]["drawn"]
    asked = node_definitions["THFEM_ExpressionPreview"]["input"]["optional"]
    assert (drawn is None) == ("strength_over_clip" not in asked)
    if drawn is not None:
        flat, *rising = drawn
        assert flat == "0:1" and rising == pytest.approx([0, 0.5, 1], abs=0.01)


def test_what_was_seen_is_what_is_edited(facts):
    taken = facts["taken"]
    assert taken["same_edit"] < 1e-5  # rounding of floats differs between two runs, too
    assert taken["as_seen"] <= 1 / 255  # the frame of the preview is rounded to 8 bits
    assert taken["text"].startswith("12 of 12 frames edited")


def test_an_edit_of_nothing_is_a_notice_and_a_line_on_the_node(facts):
    notices = facts["notices"]
    assert notices["before"] is None
    stages = [event for event in notices["sent"] if event[0] == "text"]
    assert ["text", "Finding faces …", "7"] in stages and ["text", "Editing …", "7"] in stages
    ((event, payload, client),) = [each for each in notices["sent"] if each[0] != "text"]
    assert (event, client) == ("thfem.notice", "me")
    assert payload["node_id"] == "7" and payload["level"] == "warn" and payload["title"] == "Nothing was edited"
    assert "all 12 frames passed through unchanged" in payload["text"]
    assert notices["text"].startswith("No usable face found") and "Track Faces" in notices["text"]
