from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from synthetic_scene import HEIGHT, WIDTH, Face, Scene, SceneModels, background, seen_in, still

from thfem_core.errors import InputError
from thfem_core.face.models import MeshFit
from thfem_core.face.tracking.smoothing import SmoothingConfig
from thfem_core.face.tracking.tracker import TrackerConfig, track_faces
from thfem_core.face.weight import WeightConfig

PLAIN = SmoothingConfig(pose_window=1, shape_window=1)


def track(scene: Scene, **config):
    return track_faces(scene, models=SceneModels(scene), config=TrackerConfig(**config))


def present(track) -> list[int]:
    samples = track.samples(track.first_frame, track.stop_frame)
    return (track.first_frame + np.flatnonzero(~np.isnan(samples.landmarks[:, 0, 0]))).tolist()


def test_follows_a_moving_face_and_returns_its_landmarks():
    scene = Scene([lambda f: Face(60 + 2 * f, 70 + 0.3 * f)])
    (person,) = track(scene).tracks
    got = person.samples(0, 60).landmarks
    want = np.stack([Face(60 + 2 * f, 70 + 0.3 * f).landmarks() for f in range(60)])
    np.testing.assert_allclose(got, want, atol=1e-3)
    assert person.samples(0, 60).weight[5:45].min() == 1.0


@pytest.mark.parametrize(("presence", "batches"), [(0.99, [1, 16, 14, 16, 12]), (0.8, [1] * 59)])
def test_rough_fits_are_completed_together_and_unsure_ones_at_once(presence, batches):
    completed: list[int] = []

    class Rough(SceneModels):
        def fit_roughly(self, frame, rois):
            fits = self.fit(frame, rois)
            return [MeshFit(landmarks=f.landmarks[:468] + 0.5, presence=presence, details=f.landmarks) for f in fits]

        def refined(self, fits):
            completed.append(len(fits))
            return [fit.details for fit in fits]

    scene = Scene([lambda f: Face(60 + 2 * f, 70 + 0.3 * f)])
    exact, rough = (
        track_faces(scene, models=models(scene)).tracks[0].samples(0, 60) for models in (SceneModels, Rough)
    )
    np.testing.assert_array_equal(rough.landmarks, exact.landmarks)
    # The first of 60 is fitted exactly, the second completed at once; 32 are written at once.
    assert completed == batches


@pytest.mark.parametrize("tilt", [0.0, np.pi - 0.05])
def test_regions_are_turned_as_exact_landmarks_place_them(tilt):
    rotations: list[float] = []

    class Askew(SceneModels):
        def roi_from_landmarks(self, landmarks):
            dx, dy = (landmarks[263] - landmarks[33])[:2]
            return replace(
                super().roi_from_landmarks(landmarks), rotation=np.remainder(np.arctan2(dy, dx) + tilt, 2 * np.pi)
            )

        def fit_roughly(self, frame, rois):
            rotations.extend(roi.rotation for roi in rois)
            # The last unsure one fills the first 32 rows: what waits from before 20 is refined only then.
            angle, presence = (0.1, 0.99) if frame.index < 20 else (0.3, 0.8) if frame.index < 32 else (0.2, 0.99)
            turned = np.array([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
            return [
                MeshFit(landmarks=np.float32(fit.landmarks @ turned), presence=presence, details=fit.landmarks)
                for fit in self.fit(frame, rois)
            ]

        def refined(self, fits):
            return [fit.details for fit in fits]

    scene = Scene([lambda f: Face(20 + f, 20)])
    track_faces(scene, models=Askew(scene))
    np.testing.assert_allclose(rotations, np.full(59, rotations[0]), atol=1e-5)


def test_searches_only_now_and_then_while_a_face_is_tracked():
    scene = Scene([still(100)], count=81)
    models = SceneModels(scene)
    track_faces(scene, models=models, config=TrackerConfig(detect_every=10))
    assert models.searches == list(range(0, 81, 10))


def test_a_second_face_is_traced_back_to_its_first_frame():
    scene = Scene([still(80), seen_in(still(220), range(21, 60))])
    first, second = track(scene, detect_every=8).tracks
    assert (first.first_frame, first.stop_frame) == (0, 60)
    assert (second.first_frame, second.stop_frame) == (21, 60)


def test_tracing_back_stops_where_somebody_else_was():
    class Blind(SceneModels):
        """Sees nothing in frames 10–14 until it has got past them."""

        latest = 0

        def detect(self, frame):
            self.latest = frame.index
            return [] if 10 <= frame.index < 15 else super().detect(frame)

        def fit(self, frame, rois):
            fits = super().fit(frame, rois)
            if self.latest < 15 and frame.index >= 10:
                fits = [replace(fit, presence=0.0) for fit in fits]
            return fits

    # It darts off meanwhile: too far to be taken for the same, near enough from frame to frame to be traced.
    scene = Scene([lambda f: Face(60 + 20 * min(max(f - 9, 0), 6), 70)], count=40)
    first, second = track_faces(scene, models=Blind(scene)).tracks
    assert present(first) == list(range(10)) and present(second) == list(range(10, 40))


def test_a_face_that_the_detector_misses_at_first_is_still_edited_from_the_first_frame():
    class Late(SceneModels):
        def detect(self, frame):
            return super().detect(frame) if frame.index >= 3 else []

    scene = Scene([still(100)], count=30)
    (person,) = track_faces(scene, models=Late(scene)).tracks
    assert person.first_frame == 0 and person.samples(0, 30).weight.min() == 1.0


@pytest.mark.parametrize("lost", [1, 5, 10])
def test_short_gap_is_interpolated_under_the_same_id(lost):
    def walk(f):
        return Face(60 + f, 70)

    scene = Scene([seen_in(walk, range(30), range(30 + lost, 60))])
    (person,) = track(scene, max_gap=0.4).tracks
    samples = person.samples(0, 60)
    np.testing.assert_allclose(samples.landmarks, np.stack([walk(f).landmarks() for f in range(60)]), atol=1e-3)
    assert (samples.weight == 1).all()


def test_longer_gap_is_left_empty_with_fades_at_both_sides():
    scene = Scene([seen_in(still(100), range(30), range(50, 90))], count=90)
    (person,) = track(scene, max_gap=0.4).tracks
    samples = person.samples(0, 90)
    assert np.isnan(samples.landmarks[30:50]).all() and not samples.weight[30:50].any()
    assert samples.weight[0] == 1.0 and samples.weight[89] == 1.0, "no fade at the ends of the clip"
    assert (np.diff(samples.weight[24:31]) < 0).all() and (np.diff(samples.weight[49:55]) > 0).all()
    assert (samples.weight[:25] == 1).all() and (samples.weight[55:] == 1).all()


def test_a_face_elsewhere_or_much_later_is_somebody_new():
    elsewhere = Scene([seen_in(still(60), range(20)), seen_in(still(240), range(25, 60))])
    assert len(track(elsewhere).tracks) == 2
    later = Scene([seen_in(still(60), range(20), range(80, 100))], count=100)
    assert len(track(later, max_absence=1.0).tracks) == 2


@pytest.mark.parametrize("late", [0, 1], ids=["elder behind", "elder in front"])
def test_crossing_people_keep_their_ids(late):
    def crossing(f):
        return [Face(60 + 3 * f, 70, depth=1 + late), Face(250 - 3 * f, 74, depth=2 - late)]

    # The second is found before the first, and is then the elder.
    scene = Scene([lambda f: crossing(f)[0] if f > 0 else None, lambda f: crossing(f)[1]], count=64)
    faces = track(scene, max_gap=1.0)
    assert len(faces.tracks) == 2
    ends = sorted((p.samples(1, 2).landmarks[0, 168, 0], p.samples(63, 64).landmarks[0, 168, 0]) for p in faces.tracks)
    np.testing.assert_allclose(ends, [(63, 60 + 3 * 63), (247, 250 - 3 * 63)], atol=1)


def test_somebody_who_walks_on_behind_somebody_else_is_known_again():
    scene = Scene([seen_in(lambda f: Face(40 + 3 * f, 70), range(25), range(55, 80)), still(270)], count=80)
    faces = track(scene, max_gap=0.4)
    assert len(faces.tracks) == 2
    (walker,) = [t for t in faces.tracks if t.first_frame == 0 and len(t.appearances.segments) == 2]
    assert [(s.first, s.stop) for s in walker.appearances.segments] == [(0, 25), (55, 80)]


def test_a_fit_that_leaps_onto_somebody_else_is_not_believed():
    # The region of a face that is gone still holds the neighbour's, half a head away.
    scene = Scene([seen_in(still(100), range(20)), seen_in(still(130), range(20, 40))], count=40)
    first, second = track(scene).tracks
    assert present(first) == list(range(20)) and present(second) == list(range(20, 40))


def test_a_second_detection_beside_a_face_makes_no_second_track():
    class Doubled(SceneModels):
        def detect(self, frame):
            (found,) = super().detect(frame)
            x0, y0, x1, y1 = found.box
            return [found, replace(found, box=(x0 + 30, y0, x1 + 30, y1))]

    scene = Scene([still(100)], count=20)
    assert len(track_faces(scene, models=Doubled(scene)).tracks) == 1


def test_two_regions_never_stay_on_one_face():
    # The elder leaves behind the younger: its region then sees the younger's face.
    scene = Scene([seen_in(lambda f: Face(100 + 1.2 * f, 70, depth=2), range(30)), still(150, depth=1)], count=60)
    for person in track(scene).tracks:
        other = [p for p in track(scene).tracks if p.track_id != person.track_id]
        assert all(set(present(person)[-25:]).isdisjoint(present(o)[-25:]) for o in other)


def test_cut_resets_tracks_without_fades():
    scene = Scene([still(100)], count=60, shots=[30])
    faces = track(scene)
    assert faces.cuts == (30,)
    before, after = faces.tracks
    assert (before.stop_frame, after.first_frame) == (30, 30)
    assert before.track_id != after.track_id
    assert before.samples(29, 30).weight[0] == 1.0 and after.samples(30, 31).weight[0] == 1.0


def test_flash_is_no_cut():
    class Flash(Scene):
        def picture(self, index):
            return np.full((HEIGHT, WIDTH, 3), 250, np.uint8) if index in (20, 21) else background(0)

    assert track(Flash([still(100)])).cuts == ()


def test_pan_and_brightness_changes_are_no_cut():
    wide = np.concatenate([background(1), background(2)], axis=1)

    class Pan(Scene):
        def picture(self, index):
            view = wide[:, index * 5 : index * 5 + WIDTH]
            return (view * (1 - 0.5 * (index % 20 > 10))).astype(np.uint8)

    assert track(Pan([still(100)])).cuts == ()


def test_smoothing_is_seamless_across_blocks_and_windows():
    rng = np.random.default_rng(3)
    path = np.cumsum(rng.normal(0, 2, (300, 2)), axis=0) * 0.3 + (160, 80)
    hidden = {40, 41, 63, 64, 65, 127, 200, 201, 202, 203}
    scene = Scene([lambda f: None if f in hidden else Face(*path[f], yaw=20 * np.sin(f / 9))], count=300, noise=0.4)
    (person,) = track(scene).tracks
    whole = person.samples(0, 300)
    store = person.appearances
    (segment,) = store.segments
    from thfem_core.face.tracking.smoothing import fill_gaps, smooth_landmarks

    direct = smooth_landmarks(fill_gaps(segment.read(0, 300)), store.canonical, store.smoothing)
    np.testing.assert_allclose(whole.landmarks, direct, atol=1e-3)
    for start, stop in [(0, 1), (60, 70), (-5, 3), (290, 310), (63, 193), (128, 128)]:
        part = person.samples(start, stop)
        inside = slice(max(start, 0), min(stop, 300))
        offset = inside.start - start
        for name in ("landmarks", "weight", "yaw"):
            values = getattr(part, name)
            assert len(values) == stop - start
            got = values[offset : offset + inside.stop - inside.start]
            np.testing.assert_array_equal(got, getattr(whole, name)[inside])
        assert part.weight[:offset].sum() == 0 and np.isnan(part.landmarks[:offset]).all()


def test_ranges_before_and_after_a_person_are_empty():
    (person,) = track(Scene([seen_in(still(100), range(20, 30))])).tracks
    for start, stop in [(0, 5), (10, 20), (30, 31), (30, 60), (100, 103), (40, 40)]:
        samples = person.samples(start, stop)
        assert samples.landmarks.shape == (stop - start, 478, 3) and np.isnan(samples.landmarks).all()
        assert not samples.weight.any() and samples.first_frame == start


def test_side_views_and_faces_leaving_the_frame_fade_out():
    scene = Scene([lambda f: Face(160, 70, yaw=f)], count=80)
    (person,) = track(scene).tracks
    samples = person.samples(0, 70)
    np.testing.assert_allclose(samples.yaw[5:65], np.arange(5, 65), atol=0.5)
    assert (samples.weight[:34] == 1).all() and (samples.weight[61:] == 0).all()
    assert (np.diff(samples.weight[36:59]) < 0).all()
    leaving = Scene([lambda f: Face(300 + f, 70)], count=30)
    (person,) = track(leaving, weight=WeightConfig(fade=0)).tracks
    weight = person.samples(0, 30).weight
    assert weight[0] > 0.5 and weight[-1] == 0 and (np.diff(weight) <= 0).all()


def test_memory_does_not_grow_with_length():
    def peak(count):
        scene = Scene([still(100)], count=count)
        scene.frames = lambda: (type(f)(index=i, time=Fraction(i, 25), pixels=f.pixels) for i in range(count))
        f = next(Scene([], count=1).frames())
        tracemalloc.start()
        faces = track_faces(scene, models=SceneModels(scene))
        for person in faces.tracks:
            for start in range(0, count, 50):
                person.samples(start, start + 50)
        faces.missing_frames(faces.tracks)
        gc.collect()
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    short, long = peak(2100), peak(3200)  # both longer than the blocks of landmarks that are kept
    assert long < short * 1.05 + 100_000, f"{short} bytes for 2100 frames, {long} for 3200"


def test_progress_is_per_frame_and_cancelling_closes_the_clip():
    scene = Scene([still(100)], count=20)
    calls = []
    track_faces(scene, models=SceneModels(scene), progress=lambda *a: calls.append(a))
    assert calls == [("Finding faces", i + 1, 20) for i in range(20)]

    closed = []

    class Watched(Scene):
        def frames(self):
            try:
                yield from super().frames()
            finally:
                closed.append(True)

    def cancel(stage, done, total):
        if done == 5:
            raise KeyboardInterrupt

    watched = Watched([still(100)], count=20)
    with pytest.raises(KeyboardInterrupt):
        track_faces(watched, models=SceneModels(watched), progress=cancel)
    assert closed == [True]


def test_tiny_faces_and_too_many_faces_are_left_out():
    crowd = Scene([still(30 + 45 * i, scale=0.2) for i in range(6)])
    assert len(track(crowd, max_faces=3).tracks) == 3
    assert track(Scene([still(100, scale=0.05)])).tracks == ()


@pytest.mark.parametrize(
    "bad", [{"detect_every": 0}, {"max_faces": 0}, {"min_presence": 1.5}, {"max_gap": -1}, {"max_absence": 0.1}]
)
def test_config_faults_are_named(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        TrackerConfig(**bad)
