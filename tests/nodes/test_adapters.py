"""Progress, temp files, sockets and input files: the adapters between the host and the library."""

from __future__ import annotations

import pytest
from comfy_host import REPO, run_in_host


@pytest.fixture(scope="module")
def facts(comfy_folder, demo_clip, node_definitions, tmp_path_factory):
    script = REPO / "tests" / "nodes" / "adapter_facts.py"
    return run_in_host(comfy_folder, script, tmp_path_factory.mktemp("adapters"), str(demo_clip))


def test_the_bar_never_goes_back_and_ends_full(facts):
    shares = facts["progress"]["shares"]
    assert shares == sorted(shares) and len(shares) == 15
    assert shares[4] == pytest.approx(1 / 3) and shares[9] == pytest.approx(2 / 3) and shares[-1] == 1


def test_the_bar_of_an_unknown_length_is_never_full(facts):
    assert all(0 < share < 1 for share in facts["progress"]["unknown_length"])


def test_progress_stops_a_cancelled_run(facts):
    assert facts["progress"]["cancelled"].startswith("InterruptProcessingException")


def test_temp_files_go_with_a_cancelled_run(facts):
    assert facts["temp"] == {"raised": "Cancelled: ", "left": []}


def test_embedded_networks_stay_until_the_host_unloads_all_models(facts):
    assert facts["memory"] == {"stays": True, "unloaded": True}


def test_frame_rates_are_the_ones_people_mean(facts):
    assert facts["sockets"]["rates"] == ["24000/1001", "25", "30000/1001", "25/2", "60000/1001"]
    assert facts["sockets"]["rate"] == "30000/1001"


def test_images_and_sound_pass_through_unchanged(facts):
    sockets = facts["sockets"]
    assert sockets["images_kept"] and sockets["audio_kept"] and sockets["no_sound"] and sockets["built_has_sound"]


def test_an_empty_batch_is_an_error_in_one_line(facts):
    kind, _, message = facts["sockets"]["empty_batch"].partition(": ")
    assert kind == "InputError" and "at least one image" in message and "\n" not in message


def test_a_part_of_a_file_on_hosts_without_trimming(facts):
    sockets = facts["sockets"]
    assert sockets["part_frames"] == 10 and sockets["part_seconds"] == pytest.approx(0.4)
    assert sockets["part_size"] == [512, 512] and sockets["part_window"] == [1.0, 0.4]
    assert sockets["part_is_exact"]
    assert sockets["part_sound_seconds"] == pytest.approx(0.4, abs=0.03)


def test_only_media_inside_the_folders_are_offered(facts):
    assert facts["input"] == {"files": ["a.mp4"], "outside": True, "inside": True, "folder": True}


def test_faces_are_words_or_numbers(facts):
    assert facts["faces"] == ["largest", "all", 2]
    assert "largest, all or a number" in facts["wrong_face"]
