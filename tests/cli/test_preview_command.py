from __future__ import annotations

import cv2


def test_a_frame_before_and_after(thfem, short_clip, folder):
    picture = folder / "frame.png"
    outcome = thfem("preview", short_clip, "-o", picture, "--at", 0.2, "--expression", "worried")
    assert outcome.code == 0, outcome.err
    assert outcome.err == "" and outcome.out == f"{picture}: frame 5 at 0.20 s\n"
    shown = cv2.imread(str(picture))
    assert shown.shape == (512, 1024, 3)
    assert cv2.absdiff(shown[:, :512], shown[:, 512:]).mean() > 0.3


def test_a_sheet_of_all_emotions_needs_no_emotion(thfem, short_clip, folder):
    picture = folder / "sheet.jpg"
    outcome = thfem("preview", short_clip, "-o", picture, "--sheet", "emotions", "--talking-head", "none")
    assert outcome.code == 0, outcome.err
    assert cv2.imread(str(picture)).shape[1] > 1000


def test_what_a_licence_leaves_out_is_said(thfem, short_clip, folder):
    outcome = thfem("preview", short_clip, "-o", folder / "x.png", "--emotion", "sad", "--licence", "commercial")
    assert outcome.code == 0 and "the talking head mouth is left out" in outcome.err


def test_what_is_wrong_costs_no_work(thfem, short_clip, folder):
    outcome = thfem("preview", short_clip, "-o", folder / "frame.png")
    assert outcome.code == 2 and "say what to do: --emotion NAME, --expression PRESET" in outcome.err
    outcome = thfem("preview", short_clip, "-o", folder / "frame.gif", "--emotion", "happy")
    assert outcome.code == 3 and "not a picture name" in outcome.err
    outcome = thfem("edit", short_clip, "-o", folder / "x.mp4", "--expression", "grim")
    assert outcome.code == 2 and "no expression preset 'grim'" in outcome.err
    outcome = thfem("preview", short_clip, "-o", folder / "frame.png", "--emotion", "happy", "--at", "nan")
    assert outcome.code == 2 and "'nan' is not a number of seconds" in outcome.err
    outcome = thfem("preview", short_clip, "-o", folder / "frame.png", "--emotion", "happy", "--at", "99")
    assert outcome.code == 2 and "--at 99 is outside of" in outcome.err
    outcome = thfem("preview", short_clip, "-o", folder / "frame.png", "--emotion", "happy", "--occlusion", "Auto")
    assert outcome.code == 2 and "'Auto' is neither auto nor off nor a mask that is there" in outcome.err
    outcome = thfem("preview", "http://host/clip.mp4", "-o", folder / "frame.png", "--emotion", "happy")
    assert outcome.code == 2 and "http://host/clip.mp4 is an address; download the file" in outcome.err
    assert not list(folder.iterdir())
