"""Read Head Poses, Redraw Lips and the quick node, executed inside a host's interpreter."""

from __future__ import annotations

import pytest
from comfy_host import REPO, run_in_host


@pytest.fixture(scope="module")
def facts(comfy_folder, demo_clip, node_definitions, tmp_path_factory):
    script = REPO / "tests" / "nodes" / "talking_facts.py"
    return run_in_host(comfy_folder, script, tmp_path_factory.mktemp("talking"), str(demo_clip))


def sources_and_targets(found: dict) -> list[tuple[int, int]]:
    """Colours lose a little in the video file."""
    return [(round(red / 20), round(green / 20)) for red, green, _ in found["inside"]]


def test_poses_are_summed_up_in_words(facts):
    assert facts["poses"] == 1
    assert facts["summary"].startswith("face 0, frames 0–5: yaw ") and "scale" in facts["summary"]


def test_the_stages_join(facts):
    stages = facts["stages"]
    assert sources_and_targets(stages) == [(0, 0), (0, 1), (0, 2), (0, 3), (3, 4), (3, 5)]
    assert stages["poses_given"] and stages["speech_given"] and stages["drive"] == "blend" and stages["ui"]
    assert stages["seconds"] == pytest.approx(0.24, abs=0.05)


def test_without_poses_and_speech_they_come_from_the_clip(facts):
    alone = facts["alone"]
    assert [source for source, _ in sources_and_targets(alone)] == [0, 0, 1, 2, 3, 4]  # cross-faded in between
    assert alone["speech_seconds"] == pytest.approx(0.24, abs=0.01)


def test_a_connected_sound_is_heard_as_long_as_the_clip(facts):
    assert facts["dubbed"]["seconds"] == pytest.approx(0.24, abs=0.05)


def test_a_silent_clip_is_driven_by_its_own_lips_or_refused(facts):
    assert (facts["silent"]["drive"], facts["silent"]["seconds"]) == ("original", None)
    assert facts["silent_audio"].startswith("InputError") and "no sound" in facts["silent_audio"]


def test_a_portrait_speaks_as_long_as_the_sound(facts):
    portrait = facts["portrait"]
    assert sources_and_targets(portrait) == [(0, i) for i in range(12)]
    assert portrait["rate"] == "30000/1001" and portrait["drive"] == "audio" and portrait["pose_rests"]
    assert portrait["seconds"] == pytest.approx(0.4, abs=0.05)
    assert len(facts["portrait_window"]["inside"]) == 6 and facts["portrait_window"]["seconds"] is not None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "connect Load Audio"),
        (1, "poses are of other faces"),
        (2, "give 0 to 2"),
        (3, "largest, all"),
        (4, "frames"),
    ],
)
def test_what_does_not_fit_is_an_error_in_one_line(number, words, facts):
    message = facts["errors"][number]
    assert message.startswith("InputError") and words in message and "\n" not in message


def test_the_quick_node_draws_the_lips_unless_told_not_to(facts):
    assert [target for _, target in sources_and_targets(facts["quick"])] == list(range(6))
    assert facts["quick_without"]["heads"] == 0
    assert facts["quick_without"]["inside"] != facts["quick"]["inside"]
