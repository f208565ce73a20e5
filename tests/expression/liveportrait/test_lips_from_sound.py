"""LivePortrait with lips from sound: expression and lips in one picture, on tiny drawing networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from liveportrait_material import write_liveportrait
from made_up_track import RATE, MadeUpTrack, talking_face, textured_frames
from pctalk_material import write_pctalk

from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError, WeightsError
from thfem_core.expression.editor import editors
from thfem_core.expression.liveportrait.edited_face import EditedFace
from thfem_core.expression.liveportrait.editor import LivePortraitEditor
from thfem_core.expression.liveportrait.face_edit import FaceEdit
from thfem_core.expression.request import ExpressionRequest, RegionStrengths, StrengthCurve
from thfem_core.expression.sliders import ExpressionSliders
from thfem_core.media.array_video import ArrayVideo
from thfem_core.media.file_video import FileVideo
from thfem_core.networks.liveportrait.corrections import Corrections, corrected
from thfem_core.networks.liveportrait.drawing import FaceDrawer
from thfem_core.networks.liveportrait.keypoints import rotation_matrices, stack_motions
from thfem_core.networks.liveportrait.networks import LivePortraitNetworks
from thfem_core.networks.liveportrait.regions import LIP_ROWS
from thfem_core.networks.liveportrait.smoothing import smooth_sequence
from thfem_core.networks.pctalk.application import OBSERVATION, with_lips
from thfem_core.networks.pctalk.motion import LipSequence
from thfem_core.networks.pctalk.speaking_style import read_speaking_style
from thfem_core.networks.pctalk.speech import SpeechFeatures
from thfem_core.registry import Resources
from thfem_core.talking_head.head import AdjacentWindow, FaceClip, talking_heads

CPU = torch.device("cpu")
COUNT = 32
LANDMARKS = talking_face(COUNT)
REST = [row for row in range(21) if row not in LIP_ROWS]
SPEECH = Speech((0.1 * np.random.default_rng(0).standard_normal(16000 * COUNT // 25)).astype(np.float32), level=0.1)
HAPPY = ExpressionRequest(emotion="happy", speech=SPEECH)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_liveportrait(folder / "liveportrait", layout="original_pth")
    return write_pctalk(folder)


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def loaded(folder: Path, **options: object) -> LivePortraitEditor:
    return editors.create("liveportrait", {"lips": "sound"} | options, Resources(device=CPU, folders=(folder,)))


@pytest.fixture(scope="module")
def editor(folder: Path) -> LivePortraitEditor:
    return loaded(folder)


def edited(
    editor: LivePortraitEditor, request: ExpressionRequest = HAPPY, *, frames: slice = slice(None)
) -> np.ndarray:
    stream = (frame for frame in textured_frames(COUNT)[frames])
    result = editor.edit(stream, [MadeUpTrack(LANDMARKS)], request, frame_rate=RATE, device=CPU)
    return np.stack([frame.pixels for frame in result]).astype(int)


def settled(
    editor: LivePortraitEditor, monkeypatch: pytest.MonkeyPatch, *, draw: bool = False, **changes: object
) -> list[FaceEdit]:
    """The faces of an edit, with what was read and the points that were asked for before corrections."""
    edits: list[FaceEdit] = []
    push = EditedFace.push

    def spy(self: EditedFace, edit: FaceEdit) -> None:
        edits.append(edit)
        push(self, edit)

    with monkeypatch.context() as patched:
        patched.setattr(EditedFace, "push", spy)
        if not draw:
            side = 2 * editor._drawing.sizes.side
            patched.setattr(
                FaceDrawer, "draw", lambda self, x, y, ways: [np.zeros((len(x), side, side, 3), np.float32)] * len(ways)
            )
        edited(editor, ExpressionRequest(**({"emotion": "happy", "speech": SPEECH} | changes)))
    return edits


def spoken_deformations(editor: LivePortraitEditor, edits: list[FaceEdit]) -> torch.Tensor:
    """(N, 6, 3) what the lip network says of the whole clip, from its parts, as a graph of two steps would have it."""
    lips = editor._lips
    at_rest = stack_motions([edit.motion for edit in edits]).undeformed()[:, LIP_ROWS]
    at_rest = torch.cat([at_rest, at_rest[-1:].expand(25, -1, -1)])
    sequence = LipSequence(
        lips.lips,
        SpeechFeatures(lips.encoder, SPEECH.samples),
        lips.lips.style(192),
        refinement=lips.refinement,
        at_rest=lambda start, stop: at_rest[start:stop],
    ).rest()
    smooth = torch.from_numpy(smooth_sequence(sequence.numpy(), OBSERVATION)).float()
    held = smooth[-1:].expand(max(0, len(edits) - len(smooth)), -1, -1)
    return 0.6 * torch.cat([smooth, held])[: len(edits)]


@pytest.mark.parametrize("emotions", ["sliders", "sound"])
def test_one_picture_has_the_expression_and_the_lips_of_two_steps(
    emotions: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the expression with kept lips, then PC-Talk's lips in place of them: the same keypoints, in one step."""
    editor = loaded(folder, emotions=emotions)
    both = settled(editor, monkeypatch)
    spoken = spoken_deformations(editor, both)
    source = stack_motions([edit.motion for edit in both])
    options = replace(editor._options, lips="kept")
    kept = settled(LivePortraitEditor(editor._drawing, options, emotion=editor._emotion), monkeypatch)
    first = stack_motions([edit.points for edit in kept])
    second = first._replace(expression=with_lips(first.expression, first.scale, spoken))
    for name, found in zip(second._fields, stack_motions([edit.points for edit in both]), strict=True):
        torch.testing.assert_close(found, getattr(second, name), atol=2e-6, rtol=0, msg=name)
    # the lips are PC-Talk's, whatever the editor asks of them; all else is the expression's
    points = stack_motions([edit.points for edit in both])
    torch.testing.assert_close(points.expression[:, LIP_ROWS] * points.scale[..., None], spoken, atol=2e-6, rtol=0)
    assert not torch.equal(points.expression[:, REST], source.expression[:, REST])


def test_each_face_is_drawn_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pasted plainly: one warping and one decoding per frame, of stitched keypoints with both changes."""
    drawn: list[tuple[torch.Tensor, torch.Tensor]] = []
    render = LivePortraitNetworks.render

    def spy(self: LivePortraitNetworks, appearance: object, source: torch.Tensor, driving: torch.Tensor) -> object:
        drawn.append((source, driving))
        return render(self, appearance, source, driving)

    monkeypatch.setattr(LivePortraitNetworks, "render", spy)
    plain = loaded(folder, pasting="plain")
    edits = settled(plain, monkeypatch, draw=True)
    assert [len(driving) for _, driving in drawn] == [1] * COUNT
    for edit, (source, driving) in zip(edits, drawn, strict=True):
        torch.testing.assert_close(source, edit.motion.keypoints())
        asked = corrected(plain._drawing, source, edit.keypoints, Corrections())
        torch.testing.assert_close(driving, asked, atol=1e-6, rtol=1e-6)
        assert not torch.equal(asked[:, LIP_ROWS], source[:, LIP_ROWS])


def test_the_lips_are_those_of_the_talking_head(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that shows nothing else draws what ``pctalk`` draws of the unedited clip."""
    still = {"emotion": None, "sliders": ExpressionSliders()}
    faces = edited(loaded(folder), ExpressionRequest(**still, speech=SPEECH))
    head = talking_heads.create("pctalk", None, Resources(device=CPU, folders=(folder,)))
    clip = FaceClip(track=MadeUpTrack(LANDMARKS), speech=SPEECH, frame_rate=RATE, device=CPU, drive="audio")
    frames, session = textured_frames(COUNT), head.open_face(clip)
    for frame in frames:
        session.observe(frame)
    (row,) = session.predict([AdjacentWindow(source=frames[0], targets=tuple(frames))])
    for frame, patch, face in zip(frames, row, faces, strict=True):
        assert np.abs(frame.paste(patch.box, patch.rgb, patch.alpha).pixels.astype(int) - face).max() <= 1
        assert (face != frame.pixels).any()


def test_batched_is_one_by_one(folder: Path) -> None:
    one, many = (edited(loaded(folder, batch=batch), frames=slice(16)) for batch in (1, 7))
    assert np.abs(one - many).max() <= 1 and (one != many).mean() < 0.01


def test_chunked_is_whole(folder: Path) -> None:
    """Without the refinement, which reads the lips of the whole window, any part of a clip is that of the whole."""
    editor = loaded(folder)
    editor._lips.refinement = None
    whole = edited(editor)
    for part in (slice(12, 22), slice(27, None)):
        assert np.abs(whole[part] - edited(editor, frames=part)).max() <= 1


def test_what_waits_does_not_grow(editor: LivePortraitEditor) -> None:
    given = 0

    def frames() -> Iterator[object]:
        nonlocal given
        for frame in textured_frames(COUNT):
            given += 1
            yield frame

    ahead = [
        given - 1 - frame.index
        for frame in editor.edit(frames(), [MadeUpTrack(LANDMARKS)], HAPPY, frame_rate=RATE, device=CPU)
    ]
    assert 25 <= max(ahead) <= 34


def test_strength_and_lips(editor: LivePortraitEditor, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = np.stack([frame.pixels for frame in textured_frames(COUNT)])
    assert np.array_equal(edited(editor, ExpressionRequest(emotion="happy", speech=SPEECH, strength=0.0)), frames)
    full = stack_motions([edit.points for edit in settled(editor, monkeypatch)]).expression[:, LIP_ROWS]
    half = stack_motions([edit.points for edit in settled(editor, monkeypatch, strength=0.5)]).expression[:, LIP_ROWS]
    torch.testing.assert_close(half, full, atol=1e-7, rtol=0, msg="a weaker expression says the same")
    # where a curve sets in, the lips come in with it; a gap does not lose the place in the sound
    curve = StrengthCurve.parse("0:1, 0.4:0, 0.8:0, 1.2:1")
    edits = {edit.frame.index: edit for edit in settled(editor, monkeypatch, curve=curve)}
    assert sorted(edits) == [*range(10), *range(21, COUNT)]
    assert editor._lips.refinement is not None
    for index, edit in edits.items():
        own, share = edit.motion.expression[0, LIP_ROWS], min(1.0, edit.amount / 0.25)
        if share < 1:
            near = (edit.points.expression[0, LIP_ROWS] - own).abs().max()
            assert near <= 1.2 * share * (full[index] - own).abs().max()
    silent = stack_motions([edit.points for edit in settled(editor, monkeypatch, regions=RegionStrengths(mouth=0))])
    torch.testing.assert_close(silent.expression[:, LIP_ROWS], full, atol=1e-7, rtol=0)


def test_another_composition_puts_the_lips_there_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AdvancedLivePortrait turns expressions with the head; PC-Talk's deformations are of the turned face."""
    editor = loaded(folder, composition="advancedliveportrait", neutralise=0.5)
    edits = settled(editor, monkeypatch, emotion=None, sliders=ExpressionSliders(rotate_yaw=8, smile=0.5))
    spoken = spoken_deformations(editor, edits)
    for edit, lips in zip(edits, spoken, strict=True):
        motion = edit.motion
        rotation = rotation_matrices(motion.angles + torch.tensor([[0.0, -8.0, 0.0]]))
        placed = motion.scale[..., None] * (motion.canonical @ rotation) + motion.translation[:, None]
        torch.testing.assert_close(edit.points[0, LIP_ROWS], (placed[0, LIP_ROWS] + lips), atol=1e-5, rtol=0)


def test_a_speaking_style(folder: Path, monkeypatch: pytest.MonkeyPatch, demo_clip: Path) -> None:
    """A clip of somebody else changes how the lips move; 25 of its frames are a second, whatever its own rate."""
    clip = FileVideo(demo_clip, duration=Fraction(1, 2))
    usual, styled = loaded(folder), loaded(folder, speaking_style=clip)
    said = [
        stack_motions([edit.points for edit in settled(editor, monkeypatch)]).expression[:, LIP_ROWS]
        for editor in (usual, styled)
    ]
    assert (said[0] - said[1]).abs().max() > 1e-3
    drawer, encoder = FaceDrawer(styled._drawing, CPU), styled._lips.style_encoder
    style = read_speaking_style(clip, encoder, drawer)
    torch.testing.assert_close(styled._lips.style(192, clip, drawer), style)
    torch.testing.assert_close(styled._lips.style(192, None, drawer), styled._lips.lips.style(192))
    head = talking_heads.create("pctalk", {"speaking_style": clip}, Resources(device=CPU, folders=(folder,)))
    torch.testing.assert_close(head._lips.style(192, clip, drawer), style)
    blank = ArrayVideo(np.zeros((5, 64, 64, 3), np.uint8), Fraction(25))
    with pytest.raises(InputError, match="no face"):
        edited(loaded(folder, speaking_style=blank))


def test_clear_lines_for_what_is_missing(
    editor: LivePortraitEditor, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert editor.needs_speech and editor.draws_lips
    with pytest.raises(InputError, match="lips from sound need a clip with sound; choose --lips shifted"):
        edited(editor, ExpressionRequest(emotion="happy"))
    with pytest.raises(InputError, match="knows persons 0 to 202"):
        loaded(folder, person=203)
    with pytest.raises(WeightsError, match=r"pctalk-lips: audio_encoder\.pth.*terms of code and weights are unclear"):
        loaded(tmp_path)
    with pytest.raises(InputError, match="speaking-style is for lips from sound; choose --lips sound"):
        loaded(folder, lips="kept", speaking_style=tmp_path)
    (tmp_path / "some").mkdir()
    for name in ("audio_encoder.pth", "lac.pth"):
        (tmp_path / "some" / name).symlink_to(folder / name)
    with pytest.raises(WeightsError, match=r"pctalk-style: style_encoder\.pth"):
        loaded(tmp_path / "some", speaking_style=tmp_path)
