"""Prepare Speech and Align Speech, executed inside a host's interpreter."""

from __future__ import annotations

import pytest
from comfy_host import REPO, run_in_host


@pytest.fixture(scope="module")
def facts(comfy_folder, demo_clip, node_definitions, tmp_path_factory):
    script = REPO / "tests" / "nodes" / "speech_facts.py"
    return run_in_host(comfy_folder, script, tmp_path_factory.mktemp("speech"), str(demo_clip))


def test_speech_is_prepared_from_sounds_and_videos(facts):
    speech = facts["speech"]
    assert speech["seconds"] == pytest.approx(4.737, abs=0.01)
    assert speech["samples"] == 16_000, "one second of 48 kHz stereo"
    assert speech["summary"].startswith("4.74 s of speech at level 0.")


def test_the_spectrogram_is_shown(facts):
    speech = facts["speech"]
    assert speech["picture"][0] == 1 and speech["picture"][-1] == 3
    assert 0 <= speech["range"][0] < 0.2 and 0.8 < speech["range"][1] <= 1
    assert speech["colours"] > 50


def test_a_silent_clip_passes_as_one_whose_speech_is_not_connected(facts):
    assert facts["speech"]["silent"] == [["None", "no sound: the lips follow the clip alone"]] * 2


def test_clips_without_sound_cannot_be_aligned(facts):
    assert facts["align"]["mute"].startswith("InputError") and "no sound" in facts["align"]["mute"]


def test_a_clip_aligned_to_itself_stays_as_it_is(facts):
    align = facts["align"]
    assert align["identity"] and align["cost"] == 0
    assert align["frames"][0] == align["frames"][1] and align["difference"] < 0.02 and align["sound"]
    assert align["picture"] == [1, 512, 512, 3] and align["shown"]
