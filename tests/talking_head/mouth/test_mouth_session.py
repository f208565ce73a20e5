"""The mouth talking head at work: who decides what the lips do, and that nothing depends on how it is asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import mouth_material
import numpy as np
import pytest
import torch
from made_up_speech import syllables
from mouth_material import Person, canonical, lively_motion, opened, picture, pose, shut
from moving_face import assert_same_patches

from thfem_core.audio.speech import Speech
from thfem_core.errors import InputError
from thfem_core.face.mesh.basis import load_basis
from thfem_core.face.mesh.lip_motion import lip_aperture
from thfem_core.face.models import default_face_models
from thfem_core.face.tracking.tracker import track_faces
from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.file_video import FileVideo
from thfem_core.media.sound import Sound
from thfem_core.talking_head.head import AdjacentWindow, Drive, FaceClip, FacePatch, PatchOrReason, talking_heads
from thfem_core.talking_head.mouth import session, sound_drive, workers
from thfem_core.talking_head.mouth.back_end import MouthOptions
from thfem_core.talking_head.mouth.coefficients import load_mouth_basis
from thfem_core.talking_head.mouth.drawing import draw_patch
from thfem_core.talking_head.mouth.head import MouthTalkingHead
from thfem_core.talking_head.mouth.motion import FRAME_RATE
from thfem_core.talking_head.mouth.renderer import MouthRenderer, RendererConfig
from thfem_core.talking_head.mouth.session import ALREADY_RIGHT, SIDE_VIEW
from thfem_core.talking_head.mouth.speaking_style import read_speaking_style
from thfem_core.talking_head.windows import WindowConfig, plan_windows

CPU = torch.device("cpu")
COUNT = 14
TALKING = [opened(0.15 + 0.15 * np.sin(1.3 * t)) for t in range(COUNT)]


@dataclass
class Drawn:
    """One call of draw_patch: which frame, its mesh (478, 3), and how much it shows."""

    index: int
    shape: np.ndarray
    amount: float


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Drawn]]:
    """What the session draws, in order."""
    calls: list[Drawn] = []

    def note(source, frame, mouth, shape, opacity, renderer, device) -> PatchOrReason:
        calls.append(Drawn(frame.index, shape, opacity))
        return draw_patch(source, frame, mouth, shape, opacity, renderer, device)

    monkeypatch.setattr(session, "draw_patch", note)
    monkeypatch.setattr(workers, "WORKERS", 1)  # in order
    yield calls


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Person]]:
    """The person whose :class:`Person` takes the place of the mesh network: the last in the list."""
    people: list[Person] = []
    monkeypatch.setattr(session, "default_face_models", lambda device: people[-1])
    yield people


def speech(seconds: float = 1.0, loudness: float = 1.0) -> Speech:
    return Speech.from_sound(Sound(loudness * syllables(seconds, 16000)[None], 16000))


def head(options: MouthOptions | None = None, *, network: bool = False) -> MouthTalkingHead:
    torch.manual_seed(0)
    renderer = MouthRenderer(RendererConfig(widths=(8, 8, 8, 8))).eval().requires_grad_(False)
    options = options or MouthOptions(network=network)
    return MouthTalkingHead(options, motion=lively_motion(), renderer=renderer if options.network else None)


def talk(
    person: Person,
    drive: Drive = "blend",
    sound: Speech | None = None,
    *,
    rate: Fraction = Fraction(25),
    options: MouthOptions | None = None,
    network: bool = False,
    size: int = 5,
    batch: int = 1,
) -> list[list[PatchOrReason]]:
    """All windows of ``size`` frames, ``batch`` of them per call."""
    clip = FaceClip(track=person, speech=sound, frame_rate=rate, device=CPU, drive=drive)
    opened_face = head(options, network=network).open_face(clip)
    frames: list[ArrayFrame] = [picture(i, rate) for i in range(person.stop_frame)]
    there = [i for i in range(person.stop_frame) if person.weights[i] > 0]
    windows = [
        AdjacentWindow(source=frames[plan.source], targets=tuple(frames[i] for i in plan.targets))
        for plan in plan_windows(there, WindowConfig(size=size))
    ]
    seen, answers = 0, []
    for start in range(0, len(windows), batch):
        chosen = windows[start : start + batch]
        needed = min(chosen[-1].targets[-1].index + opened_face.lookahead + 1, len(frames))
        for frame in frames[seen:needed]:
            opened_face.observe(frame)
        seen = max(seen, needed)
        answers += opened_face.predict(chosen)
    return answers


def flat(rows: Sequence[Sequence[PatchOrReason]]) -> list[PatchOrReason]:
    return [patch for row in rows for patch in row]


def gaps(shapes: Sequence[np.ndarray]) -> np.ndarray:
    return lip_aperture(np.stack(shapes))


def test_lips_that_still_say_the_same_are_left_alone(told: list[Person], drawn: list[Drawn]) -> None:
    """An edit that did not touch them costs nothing and changes nothing."""
    told.append(Person(TALKING))
    for drive in ("original", "blend"):
        assert flat(talk(told[0], drive, speech())) == [ALREADY_RIGHT] * COUNT
    assert drawn == []


def test_lips_that_the_edit_opened_follow_the_original_again(told: list[Person], drawn: list[Drawn]) -> None:
    """Closed stays closed: an editor that let the mouth gape is put right, frame by frame."""
    told.append(Person([opened(0.0)] * 5 + TALKING[5:], [opened(0.7)] * COUNT))
    patches = flat(talk(told[0], "original"))
    assert all(isinstance(patch, FacePatch) for patch in patches)
    assert [call.amount for call in drawn] == [1.0] * len(drawn)
    wanted = gaps([canonical(told[0].original[call.index]) for call in drawn])
    np.testing.assert_allclose(gaps([call.shape for call in drawn]), wanted, atol=1.0)
    nose = load_mouth_basis().mean[:, 1] < 35
    for call in drawn:
        assert np.abs(call.shape - canonical(told[0].edited[call.index]))[nose].max() < 1e-3


def test_a_lasting_smile_of_the_edit_stays(told: list[Person], drawn: list[Drawn]) -> None:
    """Corners that the edit raised in every frame stay raised, while the lips open as in the original."""
    basis = load_basis()
    smile = 0.8 * basis.action_units[basis.index("mouthSmile")]
    told.append(Person(TALKING, [opened(0.55) + smile] * COUNT))
    talk(told[0], "original")
    assert drawn
    corners = [61, 291]
    for call in drawn:
        lifted = (call.shape - canonical(told[0].original[call.index]))[corners, 1].mean()
        assert lifted < 0.5 * smile[corners, 1].mean() < -1
    wanted = gaps([canonical(told[0].original[call.index]) for call in drawn])
    np.testing.assert_allclose(gaps([call.shape for call in drawn]), wanted, atol=1.5)


def test_the_sound_alone_moves_the_sources_mouth(told: list[Person], drawn: list[Drawn]) -> None:
    told.append(Person(TALKING))
    talk(told[0], "audio", speech())
    assert [call.amount for call in drawn] == [1.0] * len(drawn) and len(drawn) == COUNT
    assert gaps([call.shape for call in drawn]).std() > 0.5


def test_amount_0_keeps_the_sources_lips_and_1_moves_twice_as_far_as_half(
    told: list[Person], drawn: list[Drawn]
) -> None:
    told.append(Person(TALKING))
    basis, read = load_mouth_basis(), {}
    for amount in (0.0, 0.5, 1.0):
        drawn.clear()
        talk(told[0], "audio", speech(), options=MouthOptions(amount=amount, network=False))
        read[amount] = np.stack([basis.read(call.shape) for call in drawn])
    for window in range(0, COUNT - 5, 5):
        still = read[0.0][window : window + 5]
        assert np.abs(still - still[0]).max() < 0.1 * np.abs(read[1.0] - read[0.0]).max() + 0.05
    np.testing.assert_allclose(read[1.0] - read[0.0], 2 * (read[0.5] - read[0.0]), atol=0.05)


def test_blend_trusts_the_lips_it_sees_and_the_sound_where_it_does_not(told: list[Person], drawn: list[Drawn]) -> None:
    shapes: dict[tuple[str, float], list[Drawn]] = {}
    for drive, weight in (("original", 1.0), ("audio", 1.0), ("blend", 1.0), ("blend", 0.1), ("blend", 0.3)):
        told.append(Person(TALKING, [opened(0.7)] * COUNT, weights=[weight] * COUNT))
        drawn.clear()
        talk(told[-1], drive, speech())
        shapes[drive, weight] = list(drawn)

    def apart(a: tuple[str, float], b: tuple[str, float]) -> float:
        return max(np.abs(x.shape - y.shape).max() for x, y in zip(shapes[a], shapes[b], strict=True))

    original, audio = ("original", 1.0), ("audio", 1.0)
    assert apart(("blend", 1.0), original) < 1e-5
    assert apart(("blend", 0.1), audio) < 1e-5
    half = ("blend", 0.3)
    assert 0.2 * apart(original, audio) < apart(half, original) < apart(original, audio)
    assert 0.2 * apart(original, audio) < apart(half, audio) < apart(original, audio)


def test_no_sound(told: list[Person], drawn: list[Drawn]) -> None:
    told.append(Person(TALKING, [opened(0.7)] * COUNT))
    with pytest.raises(InputError, match="drive 'audio' needs a clip with sound; choose drive 'original'"):
        talk(told[0], "audio")
    talk(told[0], "blend")
    by_blend = [call.shape for call in drawn]
    drawn.clear()
    talk(told[0], "original", speech())
    np.testing.assert_array_equal(by_blend, [call.shape for call in drawn])


def test_a_still_picture_speaks_only_with_sound(told: list[Person], drawn: list[Drawn]) -> None:
    told.append(Person([opened(0.05)] * COUNT))
    with pytest.raises(InputError, match="a still picture without sound has nothing to say"):
        talk(told[0], "blend")
    patches = flat(talk(told[0], "blend", speech(), size=COUNT))
    assert all(isinstance(patch, FacePatch) for patch in patches) and len(patches) == COUNT
    assert gaps([call.shape for call in drawn]).std() > 0.5


def test_of_a_still_picture_nothing_is_known_but_its_mouth() -> None:
    """That it never moves says nothing of how far this person's mouth goes in speech."""
    basis = load_mouth_basis()
    still, talking = (
        read_speaking_style(Person(frames), basis, FRAME_RATE) for frames in ([opened(0.05)] * COUNT, TALKING)
    )
    assert still.is_still and not still.vector.any() and still.mean.any()
    assert not talking.is_still and talking.vector.any()


def test_a_still_picture_is_silent_in_silence(told: list[Person], drawn: list[Drawn]) -> None:
    """What it says in silence is its own mouth, to a fraction of what speech does to it."""
    told.append(Person([opened(0.05)] * COUNT))
    moved = []
    for loudness in (1.0, 0.0):
        drawn.clear()
        talk(told[0], "blend", speech(loudness=loudness))
        basis = load_mouth_basis()
        offsets = np.stack([call.shape - canonical(told[0].original[0]) for call in drawn])
        assert np.isfinite(offsets).all()
        own = basis.read(np.stack([call.shape for call in drawn]))
        moved.append(np.abs(own - own.mean(axis=0)).max())
    assert moved[1] < 0.05 * moved[0]


def test_a_still_picture_may_be_driven_by_its_own_lips(told: list[Person], drawn: list[Drawn]) -> None:
    """They say nothing, so nothing is drawn; and no sound is needed."""
    told.append(Person([opened(0.05)] * COUNT))
    assert flat(talk(told[0], "original", speech())) == [ALREADY_RIGHT] * COUNT


def test_a_face_from_the_side_is_left_and_the_user_is_told(
    told: list[Person], drawn: list[Drawn], monkeypatch: pytest.MonkeyPatch
) -> None:
    told.append(Person(TALKING, [opened(0.7)] * COUNT))
    frontal = pose
    monkeypatch.setattr(mouth_material, "pose", lambda: frontal(yaw=60.0))
    assert flat(talk(told[0], "original")) == [SIDE_VIEW] * COUNT
    assert drawn == []


@pytest.mark.parametrize("seconds", [0.05, 0.3, 3.0])
def test_sound_shorter_or_longer_than_the_clip(told: list[Person], drawn: list[Drawn], seconds: float) -> None:
    told.append(Person(TALKING))
    assert all(isinstance(patch, FacePatch) for patch in flat(talk(told[0], "audio", speech(seconds))))
    assert all(np.isfinite(call.shape).all() for call in drawn)


@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("drive", ["audio", "blend"])
def test_batched_is_one_by_one(told: list[Person], drive: Drive, network: bool) -> None:
    told.append(Person(TALKING, [opened(0.5)] * COUNT, weights=[1.0] * 5 + [0.3] * 4 + [1.0] * 5))
    one = talk(told[0], drive, speech(), network=network)
    together = talk(told[0], drive, speech(), network=network, batch=3)
    assert any(isinstance(patch, FacePatch) for patch in flat(one))
    assert_same_patches(one, together)


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60), Fraction(12)])
def test_time_is_time_at_any_frame_rate(told: list[Person], rate: Fraction, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is asked about the frames' own moments, and about distances in frames of 1/25 s."""
    told.append(Person(TALKING))
    moments, distances = [], []
    windows = sound_drive.audio_windows

    def note(sound, times, **options):
        moments.extend(times)
        return windows(sound, times, **options)

    monkeypatch.setattr(sound_drive, "audio_windows", note)
    net = lively_motion()
    change = net.change

    def note_change(source, target, distance, to_mean, past):
        distances.append(int(distance))
        return change(source, target, distance, to_mean, past)

    monkeypatch.setattr(net, "change", note_change)
    monkeypatch.setattr(f"{__name__}.lively_motion", lambda: net)
    patches = flat(talk(told[0], "audio", speech(), rate=rate))
    assert len(patches) == COUNT and all(isinstance(patch, FacePatch) for patch in patches)
    assert set(moments) == {i / rate for i in range(COUNT)}
    plans = plan_windows(range(COUNT), WindowConfig(size=5))
    assert distances == [round(abs(i - plan.source) * 25 / rate) for plan in plans for i in plan.targets]


def test_where_nobody_is_nothing_is_drawn(told: list[Person], drawn: list[Drawn]) -> None:
    weights = [1.0] * COUNT
    weights[6] = weights[7] = 0.0
    told.append(Person(TALKING, [opened(0.7)] * COUNT, weights=weights))
    talk(told[0], "original")
    assert {call.index for call in drawn} == set(range(COUNT)) - {6, 7}


def test_a_face_the_edit_destroyed_keeps_the_originals_mesh(told: list[Person], drawn: list[Drawn]) -> None:
    """Where the edited frame's fit is not believed there is nothing to put right."""
    told.append(Person(TALKING, [opened(0.7)] * COUNT))
    told[0].presence = 0.2
    assert set(flat(talk(told[0], "original"))) == {ALREADY_RIGHT}


def test_memory_does_not_grow_with_the_clip(told: list[Person]) -> None:
    """Frames' mouths and moments are forgotten behind the windows."""
    count = 60
    told.append(Person([TALKING[t % COUNT] for t in range(count)]))
    clip = FaceClip(track=told[0], speech=speech(3.0), frame_rate=Fraction(25), device=CPU, drive="audio")
    face = head().open_face(clip)
    frames = [picture(i) for i in range(count)]
    observed = 0
    for plan in plan_windows(range(count), WindowConfig(size=5)):
        while observed < min(count, plan.targets[-1] + face.lookahead + 1):
            face.observe(frames[observed])
            observed += 1
        face.predict([AdjacentWindow(source=frames[plan.source], targets=tuple(frames[i] for i in plan.targets))])
        assert len(face._mouths._mouths) < 4 * (face.lookahead + 5)
        assert len(face._sound._speech) <= 8


def test_a_closure_the_edit_lost_is_drawn(told: list[Person], drawn: list[Drawn]) -> None:
    """One short p in a clip whose lips are otherwise right: the frames around it are drawn, with lips that meet."""
    speaking = [opened(0.3)] * COUNT
    original = [*speaking[:6], shut(), shut(), *speaking[8:]]
    edited = [*speaking[:6], opened(0.1), opened(0.1), *speaking[8:]]
    told.append(Person(original, edited))
    talk(told[0], "original", options=MouthOptions(network=False, keep_below=5.0, redraw_above=6.0))
    amounts = {call.index: call.amount for call in drawn}
    assert amounts[6] == amounts[7] == 1.0 and set(amounts) <= set(range(4, 10))
    assert gaps([call.shape for call in drawn if call.index in (6, 7)]).max() < 0.5
    drawn.clear()
    told.append(Person(original, original))
    talk(told[1], "original", options=MouthOptions(network=False, keep_below=5.0, redraw_above=6.0))
    assert drawn == []


def test_fits_that_wobble_call_for_nothing(told: list[Person], drawn: list[Drawn]) -> None:
    """Lips that come and go from frame to frame are noise of the fit; the same distance, lasting, is not speech."""
    rng = np.random.default_rng(0)
    basis = load_basis()
    directions = basis.action_units[[basis.index("mouthSmile"), basis.index("jawOpen")]]
    count = 30
    talking = [opened(0.3 + 0.1 * np.sin(0.9 * t)) for t in range(count)]

    def strayed(sizes: np.ndarray) -> list[np.ndarray]:
        return [shape + np.tensordot(size, directions, axes=1) for shape, size in zip(talking, sizes, strict=True)]

    wobble = 0.12 * rng.choice([-1.0, 1.0], (count, 2))
    told.append(Person(talking, strayed(wobble)))
    talk(told[0], "original")
    assert max([call.amount for call in drawn], default=0) < 0.5
    drawn.clear()
    told.append(Person(talking, strayed(0.5 * np.sin(0.35 * np.arange(count))[:, None] * [0, 1])))
    talk(told[1], "original")
    assert max(call.amount for call in drawn) == 1.0


def test_the_frame_itself_is_drawn_from_unless_its_mouth_is_shut(
    told: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    sources: dict[int, int] = {}

    def note(source, frame, *_) -> str:
        sources[frame.index] = source.frame.index
        return "only noted"

    monkeypatch.setattr(session, "draw_patch", note)
    # Open, then shut by the edit while the original stays open: the window's source (frame 0) shows the inside.
    wide = [opened(0.5 + 0.1 * np.sin(t)) for t in range(COUNT)]
    told.append(Person(wide, wide[:2] + [shut()] * (COUNT - 2)))
    talk(told[0], "original")
    assert sources[2] == sources[5] == 0 and sources[8] == 8
    # The other way round each frame can be shut by itself.
    sources.clear()
    told.append(Person([shut() + 0.3 * (shape - wide[0]) for shape in wide], [opened(0.7)] * COUNT))
    talk(told[1], "original")
    assert sources == {i: i for i in range(COUNT)}


def test_two_threads_draw_what_one_draws_and_pass_on_what_goes_wrong(
    told: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    told.append(Person(TALKING, [opened(0.5)] * COUNT))
    answers = []
    for count in (1, 2):
        monkeypatch.setattr(workers, "WORKERS", count)
        answers.append(talk(told[0], "audio", speech(), network=True))
    assert_same_patches(*answers)

    def fail(*_) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "draw_patch", fail)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        talk(told[0], "audio", speech())
    assert threading.active_count() == before


@pytest.fixture(scope="module")
def demo(demo_clip: Path) -> tuple[list[ArrayFrame], FaceClip]:
    """The first frames of the demo clip, tracked."""
    video = FileVideo(demo_clip, duration=Fraction(12, 25))
    frames = [ArrayFrame(index=f.index, time=f.time, pixels=f.rgb()) for f in video.frames()]
    tracks = track_faces(video, models=default_face_models(CPU))
    sound = Speech.from_video(video)
    return frames, FaceClip(track=tracks.tracks[0], speech=sound, frame_rate=Fraction(25), device=CPU, drive="blend")


def test_shipped_weights_leave_an_unedited_clip_alone(demo: tuple[list[ArrayFrame], FaceClip]) -> None:
    """SANITY of what ships: where nothing was edited nothing needs to be redrawn."""
    frames, clip = demo
    face = talking_heads.create("mouth").open_face(clip)
    for frame in frames:
        face.observe(frame)
    (row,) = face.predict([AdjacentWindow(source=frames[0], targets=tuple(frames[1:6]))])
    assert all(isinstance(patch, str) or patch.alpha.max() < 0.2 for patch in row)


def test_shipped_weights_draw_a_mouth_like_the_one_that_was_there(
    demo: tuple[list[ArrayFrame], FaceClip],
) -> None:
    """SANITY of what ships: driven by the sound, five frames from the first stay near the true ones, and the painted
    mouths are hardly farther from them than merely warped ones."""
    frames, clip = demo
    clip = FaceClip(track=clip.track, speech=clip.speech, frame_rate=clip.frame_rate, device=CPU, drive="audio")
    errors = {}
    for network in (False, True):
        face = talking_heads.create("mouth", {"network": network}).open_face(clip)
        for frame in frames:
            face.observe(frame)
        targets = tuple(frames[1:6])
        (row,) = face.predict([AdjacentWindow(source=frames[0], targets=targets)])
        apart = []
        for patch, frame in zip(row, targets, strict=True):
            assert isinstance(patch, FacePatch)
            weight = patch.alpha[..., None]
            apart.append((np.abs(patch.rgb.astype(float) - frame.rgb(patch.box)) * weight).sum() / (3 * weight.sum()))
        errors[network] = np.mean(apart)
    assert errors[True] < 12
    assert errors[True] < 1.15 * errors[False] + 0.5
