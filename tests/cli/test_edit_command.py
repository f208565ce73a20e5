from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest

from thfem_core.expression.editor import editors
from thfem_core.media.file_video import FileVideo
from thfem_core.talking_head.head import talking_heads

EDITOR_ALONE = ("--talking-head", "none")


def sound_packets(path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_edit_keeps_frames_times_size_and_sound_and_changes_the_face(thfem, short_clip, folder):
    output = folder / "happy.mp4"
    outcome = thfem("edit", short_clip, "-o", output, "--emotion", "happy")
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    (line,) = outcome.out.splitlines()
    assert line.startswith(f"{output}: 12 of 12 frames edited; sound: copied")
    assert list(folder.iterdir()) == [output]
    source, edited = list(FileVideo(short_clip).frames()), list(FileVideo(output).frames())
    assert [frame.time for frame in edited] == [frame.time for frame in source]
    assert (edited[0].width, edited[0].height) == (source[0].width, source[0].height)
    assert sound_packets(output) == sound_packets(short_clip)
    difference = np.abs(source[6].rgb().astype(int) - edited[6].rgb())
    face = difference[130:340, 160:345]
    assert face.mean() > 5 * difference[:40].mean()


def test_a_region_factor_of_zero_leaves_that_region_alone(thfem, short_clip, folder):
    everything, no_brows = folder / "all.mp4", folder / "no_brows.mp4"
    options = ("--emotion", "surprised", "--crf", 8, *EDITOR_ALONE)
    assert thfem("edit", short_clip, "-o", everything, *options).code == 0
    assert thfem("edit", short_clip, "-o", no_brows, "--brows", 0, *options).code == 0
    brows = slice(160, 180), slice(180, 320)
    source, edited, without = (
        next(iter(FileVideo(path).frames())).rgb()[brows].astype(int) for path in (short_clip, everything, no_brows)
    )
    assert np.abs(edited - source).mean() > 2 * np.abs(without - source).mean()


def test_the_curve_fades_the_edit_in(thfem, short_clip, folder):
    output = folder / "curve.mp4"
    options = ("--emotion", "happy", "--curve", "0:0,0.4:1", "--crf", 8, *EDITOR_ALONE)
    assert thfem("edit", short_clip, "-o", output, *options).code == 0
    change = [
        np.abs(a.rgb().astype(int) - b.rgb()).mean()
        for a, b in zip(FileVideo(short_clip).frames(), FileVideo(output).frames(), strict=True)
    ]
    early, middle, late = (np.mean(change[i : i + 3]) for i in (0, 4, 8))
    assert all(after > before for before, after in pairwise((early, middle, late)))


def test_reference_clip_and_picture(thfem, short_clip, folder):
    still = folder / "still.png"
    cv2.imwrite(str(still), cv2.cvtColor(next(iter(FileVideo(short_clip).frames())).rgb(), cv2.COLOR_RGB2BGR))
    for reference in (short_clip, still):
        output = folder / f"like_{reference.suffix[1:]}.mp4"
        outcome = thfem("edit", short_clip, "-o", output, "--reference", reference, *EDITOR_ALONE)
        assert outcome.code == 0, outcome.err
        assert FileVideo(output).info.frame_count == 12


def test_frames_of_another_editor_are_taken_over(thfem, short_clip, folder):
    pictures = folder / "pictures"
    pictures.mkdir()
    for frame in FileVideo(short_clip).frames():
        cv2.imwrite(str(pictures / f"{frame.index:04d}.png"), np.full((512, 512, 3), 10 * frame.index, np.uint8))
    output = folder / "taken.mp4"
    taken = ("--editor", "frames", "--edited-frames", pictures, *EDITOR_ALONE)
    outcome = thfem("edit", short_clip, "-o", output, *taken)
    assert outcome.code == 0, outcome.err
    means = [frame.rgb().mean() for frame in FileVideo(output).frames()]
    assert means == pytest.approx([10 * i for i in range(12)], abs=2)


def test_replacing_the_input_needs_a_word(thfem, short_clip, folder):
    clip = folder / "clip.mp4"
    shutil.copyfile(short_clip, clip)
    before = clip.read_bytes()
    outcome = thfem("edit", clip, "-o", folder / ".." / "out" / "clip.mp4", "--emotion", "sad")
    assert outcome.code == 2
    assert len(outcome.error_lines) == 1 and "--overwrite-input" in outcome.err
    assert clip.read_bytes() == before
    assert thfem("edit", clip, "-o", clip, "--emotion", "sad", "--overwrite-input").code == 0
    assert clip.read_bytes() != before
    assert FileVideo(clip).info.frame_count == 12


@pytest.mark.parametrize("flags", [("--reference",), ("--editor", "frames", "--edited-frames")])
def test_what_else_is_read_is_never_replaced(flags, thfem, short_clip, folder):
    clip = folder / "clip.mp4"
    shutil.copyfile(short_clip, clip)
    before = clip.read_bytes()
    outcome = thfem("edit", short_clip, "-o", clip, *flags, clip, "--overwrite-input", *EDITOR_ALONE)
    assert outcome.code == 2 and len(outcome.error_lines) == 1
    assert "would replace the input" in outcome.err and clip.read_bytes() == before


def test_a_flag_that_back_ends_share_means_the_same_to_all_of_them():
    """Else a value for one that was chosen is refused, or means something else, by another: its default neighbour."""
    declared: dict[str, set] = {}
    for registry in (editors, talking_heads):
        for name in registry:
            for each in registry.options(name):
                facts = (each.kind, each.default, each.minimum, each.maximum, each.choices)
                declared.setdefault(each.flag, set()).add(facts)
    assert {flag: facts for flag, facts in declared.items() if len(facts) > 1} == {}


def test_help_needs_no_network_library():
    code = "import sys; from thfem_core.cli.main import build_parser; build_parser(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
