"""The editor LivePortrait on tiny networks: what is exact, whatever the weights are."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from liveportrait_material import write_liveportrait
from made_up_track import RATE, MadeUpTrack, talking_face, textured_frames

from thfem_core.errors import InputError, WeightsError
from thfem_core.expression.liveportrait.back_end import LivePortraitOptions
from thfem_core.expression.liveportrait.driving import neutral_lips
from thfem_core.expression.liveportrait.edited_face import EditedFace, FaceEdit
from thfem_core.expression.liveportrait.editor import LivePortraitEditor, load
from thfem_core.expression.liveportrait.expressions import Driver, read_driver, requested_sliders
from thfem_core.expression.liveportrait.sound_emotion import SpokenEmotion
from thfem_core.expression.request import ExpressionRequest, ReferenceClip, RegionStrengths, StrengthCurve
from thfem_core.expression.sliders import ExpressionSliders
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.array_video import ArrayVideo
from thfem_core.networks.liveportrait import drawing
from thfem_core.networks.liveportrait.drawing import FaceDrawer
from thfem_core.networks.liveportrait.networks import LivePortraitNetworks, load_liveportrait
from thfem_core.networks.liveportrait.regions import BROWS, EYES, LIP_ROWS, LIPS
from thfem_core.registry import Resources

CPU = torch.device("cpu")
HAPPY = ExpressionRequest(emotion="happy")
COUNT = 14
LANDMARKS = talking_face(COUNT)


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> LivePortraitNetworks:
    return load_liveportrait(write_liveportrait(tmp_path_factory.mktemp("liveportrait")))


def edited(
    networks: LivePortraitNetworks,
    request: ExpressionRequest,
    *,
    frames: list[ArrayFrame] | None = None,
    tracks: list[MadeUpTrack] | None = None,
    **options: object,
) -> list[np.ndarray]:
    editor = LivePortraitEditor(networks, LivePortraitOptions(**options))
    frames = textured_frames(COUNT) if frames is None else frames
    tracks = [MadeUpTrack(LANDMARKS)] if tracks is None else tracks
    result = list(editor.edit((frame for frame in frames), tracks, request, frame_rate=RATE, device=CPU))
    assert [frame.index for frame in result] == [frame.index for frame in frames]
    return [frame.pixels for frame in result]


def reference(count: int = 12, *, smile: float = 0.6) -> ReferenceClip:
    frames = np.stack([frame.pixels for frame in textured_frames(count)])
    video = ArrayVideo(frames[:, ::-1].copy(), Fraction(12))
    return ReferenceClip(video=video, track=MadeUpTrack(talking_face(count, smile=smile)))


REQUESTS = {
    "happy": HAPPY,
    "reference": ExpressionRequest(reference=reference()),
    "picture": ExpressionRequest(reference=reference(1)),
    "sliders": ExpressionRequest(sliders=ExpressionSliders(smile=0.5, rotate_yaw=5)),
    "neutral": ExpressionRequest(emotion="neutral"),
}


def expressions(
    networks: LivePortraitNetworks, request: ExpressionRequest, **options: object
) -> tuple[torch.Tensor, torch.Tensor]:
    """Expressions (N, 21, 3) of the source and of what is drawn."""
    drawer = FaceDrawer(networks, CPU)
    driver = read_driver(request.reference, drawer) if request.reference else None
    face = EditedFace(
        MadeUpTrack(LANDMARKS),
        request,
        LivePortraitOptions(**options),
        driver=driver,
        frame_rate=RATE,
        side=drawer.side,
    )
    edits: list[FaceEdit] = []
    for frame in textured_frames(COUNT):
        edit = face.see(frame, request.strength)
        assert edit is not None
        edit.motion = drawer.read([edit.picture])
        face.push(edit)
        edits.append(edit)
    face.finish()
    return tuple(torch.cat([getattr(e, n).expression for e in edits]) for n in ("motion", "points"))


@pytest.mark.parametrize("name", REQUESTS)
def test_every_source_of_expression_draws(name: str, networks: LivePortraitNetworks) -> None:
    frames = textured_frames(COUNT)
    for pasting in ("difference", "plain"):
        result = edited(networks, REQUESTS[name], pasting=pasting)
        assert all((a != b.pixels).any() for a, b in zip(result, frames, strict=True))


@pytest.mark.parametrize("name", REQUESTS)
def test_kept_lips_are_those_of_each_frame(name: str, networks: LivePortraitNetworks) -> None:
    before, after = expressions(networks, REQUESTS[name], lips="kept")
    assert torch.equal(before[:, LIP_ROWS], after[:, LIP_ROWS])
    assert not torch.equal(before, after) or name == "sliders"


@pytest.mark.parametrize("name", REQUESTS)
def test_shifted_lips_move_alike_in_all_frames(name: str, networks: LivePortraitNetworks) -> None:
    before, after = expressions(networks, REQUESTS[name])
    shift = (after - before)[:, LIP_ROWS]
    assert shift.abs().max() > 1e-5
    torch.testing.assert_close(shift, shift[:1].expand_as(shift), atol=1e-6, rtol=0)


def test_the_lips_of_the_picture_are_kept_through_stitching(
    networks: LivePortraitNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[torch.Tensor, list[torch.Tensor]]] = []
    draw = FaceDrawer.draw

    def spy(self: FaceDrawer, pictures: list, source: torch.Tensor, driving: list) -> list:
        drawn.append((source, driving))
        return draw(self, pictures, source, driving)

    monkeypatch.setattr(FaceDrawer, "draw", spy)
    edited(networks, HAPPY, lips="kept")
    for source, ways in drawn:
        for points in ways:
            assert torch.equal(points[:, LIP_ROWS], source[:, LIP_ROWS])
            assert not torch.equal(points, source)


@pytest.mark.parametrize(
    ("strengths", "region"),
    [
        (RegionStrengths(eyes=0, cheeks=0, mouth=0), BROWS),
        (RegionStrengths(brows=0, cheeks=0, mouth=0), EYES),
        (RegionStrengths(brows=0, eyes=0, cheeks=0), LIPS),
        (RegionStrengths(brows=0, eyes=0, mouth=0), ~(BROWS | EYES | LIPS)),
    ],
)
def test_an_expression_touches_only_its_regions(
    strengths: RegionStrengths, region: torch.Tensor, networks: LivePortraitNetworks
) -> None:
    for request in (
        ExpressionRequest(emotion="happy", regions=strengths),
        ExpressionRequest(reference=reference(), regions=strengths),
    ):
        for lips in ("free", "shifted"):
            before, after = expressions(networks, request, lips=lips)
            assert torch.equal(before[:, ~region], after[:, ~region])
            assert not torch.equal(before[:, region], after[:, region])


def test_no_strength_changes_nothing(networks: LivePortraitNetworks) -> None:
    frames = textured_frames(COUNT)
    for request in REQUESTS.values():
        for pasting in ("difference", "plain"):
            result = edited(networks, replace(request, strength=0.0), pasting=pasting)
            assert all(map(np.array_equal, result, (f.pixels for f in frames)))
    curve = StrengthCurve.parse("0:0, 0.19:0, 0.2:1")
    result = edited(networks, ExpressionRequest(emotion="happy", curve=curve))
    same = [np.array_equal(a, f.pixels) for a, f in zip(result, frames, strict=True)]
    assert same == [True] * 5 + [False] * 9


def test_a_little_strength_changes_little(networks: LivePortraitNetworks) -> None:
    """The difference grows from nothing: no jump where a curve sets in."""
    frames = np.stack([frame.pixels for frame in textured_frames(COUNT)]).astype(int)
    changes = []
    for strength in (0.02, 1.0):
        result = np.stack(edited(networks, ExpressionRequest(emotion="happy", strength=strength)))
        changes.append(np.abs(result - frames).mean())
    assert changes[0] < 0.1 * changes[1]


@pytest.mark.parametrize("name", ["happy", "reference"])
def test_batched_is_one_by_one_and_chunked_is_whole(name: str, networks: LivePortraitNetworks) -> None:
    whole = np.stack(edited(networks, REQUESTS[name], batch=1)).astype(int)
    batched = np.stack(edited(networks, REQUESTS[name], batch=7)).astype(int)
    # other orders of float32 sums: a level, where a value lies between two
    assert np.abs(whole - batched).max() <= 1 and (whole != batched).mean() < 0.01
    if name == "happy":  # no look-ahead: the second half alone is the second half
        half = np.stack(edited(networks, REQUESTS[name], frames=textured_frames(COUNT)[8:], batch=1)).astype(int)
        assert np.abs(whole[8:] - half).max() <= 1


def test_frames_come_out_while_others_go_in(networks: LivePortraitNetworks) -> None:
    """What waits inside does not grow with the clip."""
    given = 0

    def frames():
        nonlocal given
        for frame in textured_frames(COUNT):
            given += 1
            yield frame

    editor = LivePortraitEditor(networks, LivePortraitOptions(batch=2))
    result = editor.edit(frames(), [MadeUpTrack(LANDMARKS)], HAPPY, frame_rate=RATE, device=CPU)
    ahead = [given - 1 - frame.index for frame in result]
    assert max(ahead) <= 4


def test_several_faces_and_gaps(networks: LivePortraitNetworks) -> None:
    tracks = [MadeUpTrack(LANDMARKS[:5] * 0.5 + [0, 90, 0]), MadeUpTrack(LANDMARKS[9:] * 0.5 + [100, 10, 0], 9)]
    frames = textured_frames(COUNT)
    for name in ("happy", "reference"):
        result = edited(networks, REQUESTS[name], tracks=tracks)
        same = [np.array_equal(a, f.pixels) for a, f in zip(result, frames, strict=True)]
        assert same == [False] * 5 + [True] * 4 + [False] * 5


def test_weight_fades_the_edit(networks: LivePortraitNetworks) -> None:
    frames = textured_frames(3)
    pixels = np.stack([frame.pixels for frame in frames]).astype(int)
    for pasting in ("difference", "plain"):
        full, little, none = (
            np.stack(edited(networks, HAPPY, frames=frames, tracks=[MadeUpTrack(LANDMARKS, weight=w)], pasting=pasting))
            for w in (1.0, 0.4, 0.0)
        )
        assert 0 < np.abs(little - pixels).mean() < 0.6 * np.abs(full - pixels).mean()
        assert np.array_equal(none, pixels)


def test_free_lips_follow_and_sliders_turn_the_head(networks: LivePortraitNetworks) -> None:
    before, after = expressions(networks, HAPPY, lips="free")
    expected = requested_sliders(HAPPY).expression
    torch.testing.assert_close(after - before, expected.expand_as(before), atol=1e-6, rtol=0)
    both = ExpressionRequest(emotion="happy", sliders=ExpressionSliders(smile=0.1, pupil_x=3))
    assert requested_sliders(both).expression[11, 0] != 0


def test_absolute_copies_and_relative_adds(networks: LivePortraitNetworks) -> None:
    request = ExpressionRequest(reference=reference(1))
    drawer = FaceDrawer(networks, CPU)
    driver: Driver = read_driver(request.reference, drawer)
    assert driver.single
    before, after = expressions(networks, request, motion="absolute", lips="free", pasting="plain")
    torch.testing.assert_close(after[:, 1], driver.motion.expression[:, 1].expand(COUNT, -1), atol=1e-6, rtol=0)
    torch.testing.assert_close(after[:, 0], before[:, 0])
    before, after = expressions(networks, request, lips="free", pasting="plain")
    change = driver.motion.expression[0, 1] - neutral_lips()[0, 1]
    torch.testing.assert_close((after - before)[:, 1], change.expand(COUNT, -1), atol=1e-6, rtol=0)


def test_a_reference_goes_back_and_forth() -> None:
    from liveportrait_material import motion

    driver = Driver(motion=motion(3, 0.0), frame_rate=Fraction(10))
    assert [driver.at(n / 10) for n in range(8)] == [0, 1, 2, 2, 1, 0, 0, 1]


def test_memory_that_runs_out_halves_the_batch(networks: LivePortraitNetworks, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(RuntimeError):
        pass

    monkeypatch.setattr(drawing, "_OutOfMemory", Full)
    drawer = FaceDrawer(networks, CPU, batch=8)
    images = drawer._images

    def limited(pictures: list[np.ndarray]) -> torch.Tensor:
        if len(pictures) > room:
            raise Full
        return images(pictures)

    monkeypatch.setattr(drawer, "_images", limited)
    pictures, room = [np.zeros((64, 64, 3), np.uint8)] * 7, 3
    assert len(drawer.read(pictures).scale) == 7 and drawer.batch == 2
    room = 0
    with pytest.raises(InputError, match="too little free memory"):
        drawer.read(pictures)


def test_clear_lines_for_what_cannot_be_edited(networks: LivePortraitNetworks) -> None:
    with pytest.raises(InputError, match=r"less than 48 pixels wide.*--editor mesh"):
        edited(networks, HAPPY, tracks=[MadeUpTrack(LANDMARKS * 0.1)])
    small = ReferenceClip(video=reference(2).video, track=MadeUpTrack(talking_face(2) * 0.1))
    with pytest.raises(InputError, match=r"only \d+ pixels wide"):
        edited(networks, ExpressionRequest(reference=small))
    turned = ReferenceClip(video=reference(2).video, track=MadeUpTrack(talking_face(2), weight=0.0))
    with pytest.raises(InputError, match="turned too far"):
        edited(networks, ExpressionRequest(reference=turned))


def test_loading_finds_files_and_refuses_animals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    resources = Resources(device=CPU, folders=(tmp_path,))
    with pytest.raises(WeightsError, match=r"appearance_feature_extractor.*`.* models fetch liveportrait`"):
        load(LivePortraitOptions(), resources)
    for layout in ("flat_short", "flat_module"):
        write_liveportrait(tmp_path / "liveportrait-mit", layout=layout)
        assert load(LivePortraitOptions(), resources).networks[0].sizes.side == 64
    animal = Resources(device=CPU, folders=(tmp_path / "animal",))
    write_liveportrait(tmp_path / "animal" / "liveportrait-mit", layout="flat_short")
    with pytest.raises(WeightsError, match=r"model of animals.*models fetch liveportrait"):
        load(LivePortraitOptions(), animal)


def test_compiled_networks_are_those_that_draw(networks: LivePortraitNetworks, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(drawing, "compile_in_place", lambda network, device: compiled.append(type(network).__name__))
    FaceDrawer(networks, CPU, compiled=True)
    assert compiled == ["VolumeWarp", "SpadeDecoder"]


class Deformed:
    """PC-Talk's network, made up: an emotion that grows through the clip."""

    def __init__(self) -> None:
        self.deformation = torch.linspace(0, 0.1, COUNT)[:, None, None].expand(COUNT, 21, 3).contiguous()

    def to(self, device: torch.device) -> Deformed:
        return self

    def spoken(self, emotion: str, speech: object) -> SpokenEmotion:
        assert emotion == "happy" and speech == "words"
        return SpokenEmotion(deformation=self.deformation)


def test_an_emotion_from_sound(networks: LivePortraitNetworks) -> None:
    """At 25 frames a second each frame has its own offset, over the scale of the face; lips get the mean."""
    drawer = FaceDrawer(networks, CPU)
    spoken = SpokenEmotion(deformation=Deformed().deformation)
    for lips in ("free", "shifted", "kept"):
        face = EditedFace(
            MadeUpTrack(LANDMARKS),
            HAPPY,
            LivePortraitOptions(lips=lips),
            driver=None,
            spoken=spoken,
            frame_rate=RATE,
            side=drawer.side,
        )
        changes = []
        for frame in textured_frames(COUNT):
            edit = face.see(frame, 1.0)
            edit.motion = drawer.read([edit.picture])
            face.push(edit)
            changes.append((edit.points.expression - edit.motion.expression) * edit.motion.scale[..., None])
        change = torch.cat(changes)
        torch.testing.assert_close(change[:, 1], spoken.deformation[:, 1], atol=1e-6, rtol=1e-4)
        if lips == "free":
            torch.testing.assert_close(change[:, 6], spoken.deformation[:, 6], atol=1e-6, rtol=1e-4)
        if lips == "kept":
            assert change[:, LIP_ROWS].abs().max() < 1e-7
        if lips == "shifted":
            torch.testing.assert_close(change[0, 6], 0.3 * spoken.mean_lips[0], atol=1e-6, rtol=1e-4)
    assert torch.equal(spoken.at(1e6), spoken.deformation[-1])


def test_emotions_from_sound_need_sound(networks: LivePortraitNetworks) -> None:
    editor = LivePortraitEditor(networks, emotion=Deformed())
    assert editor.needs_speech
    with pytest.raises(InputError, match="need a clip with sound"):
        list(editor.edit((frame for frame in ()), [], HAPPY, frame_rate=RATE, device=CPU))
    request = replace(HAPPY, speech="words")
    assert list(editor.edit((frame for frame in ()), [], request, frame_rate=RATE, device=CPU)) == []
