"""Edit Expression on videos and images, and its outputs that are made only for somebody."""

from __future__ import annotations

import pytest
from comfy_host import REPO, run_in_host


@pytest.fixture(scope="module")
def facts(comfy_folder, demo_clip, node_definitions, tmp_path_factory):
    script = REPO / "tests" / "nodes" / "parts_facts.py"
    return run_in_host(comfy_folder, script, tmp_path_factory.mktemp("parts"), str(demo_clip), timeout=600)


def test_all_outputs_are_made_where_the_host_does_not_say_what_is_connected(facts):
    assert facts["unknown"] == facts["everything"]


def test_outputs_that_nobody_takes_are_not_made(facts):
    assert facts["video_only"] == [None, None, None, None]


def test_a_new_connection_runs_the_node_again(facts):
    assert facts["fingerprints"] == [True, True]


def test_images_sound_mask_and_crop(facts):
    images, sound, mask, crop = facts["everything"]
    assert images == [12, 512, 512, 3] and mask == [12, 512, 512] and crop == [12, 512, 512, 3]
    assert sound == [pytest.approx(0.48, abs=0.1)]
    assert all(0 <= low <= high <= 1 for low, high in facts["ranges"])
    assert 0.05 < facts["face_share"] < 0.5
    inside, outside = facts["change"]
    assert inside > 5 * outside  # outside, decoders round colours in their own ways


def test_what_a_mask_says_is_in_front_stays_as_it_is(facts):
    edited, _ = facts["change"]
    assert facts["covered"] < edited / 5  # the host's decoder rounds colours in its own way
    # the host gives an empty mask, of any shape, with pictures that have no transparency
    assert facts["empty_mask"] > facts["covered"]


def test_only_parts_for_commercial_use(facts):
    described, text = facts["commercial"]
    assert described[0] == [12, 512, 512, 3] and "licence commercial" in text


def test_images_with_their_sound(facts):
    described, told = facts["from_images"]
    assert described[0] == [12, 512, 512, 3] and described[1] == [pytest.approx(0.48, abs=0.1)]
    assert told == 0


def test_sound_that_is_read_on_demand(facts):
    assert facts["lazy_sound"] == facts["from_images"][0][1]
    assert facts["lazy_speech"] == pytest.approx(0.5, abs=0.1)


def test_images_and_sound_of_different_lengths_are_a_notice(facts):
    text, notices = facts["wrong_rate"]
    assert "the images last 0.24 s at 50 frames per second" in text and "set fps to 2" in text
    (notice,) = notices
    assert notice["level"] == "info" and "set fps to" in notice["text"]


def test_a_folder_of_clips(facts):
    batch = facts["batch"]
    assert batch["offered"] and batch["changes"]
    table, edited, failed = batch["outputs"]
    assert (edited, failed) == (1, 1) and table.startswith("clip,result,frames,edited")
    assert batch["text"].startswith("1 of 2 clips edited, 1 failed;") and "bad.mp4: failed" in batch["text"]
    assert "1 of 2 clips failed" in batch["notices"]
    assert batch["written"] == ["good.mp4", "report.csv"]
    assert "leaves the input folder" in batch["outside"]
