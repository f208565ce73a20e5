from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from synthetic_scene import HEIGHT, WIDTH, Face

from thfem_core.errors import InputError
from thfem_core.face.tracking.host_landmarks import from_host_landmarks


def host_face(face: Face) -> dict:
    """As the host gives it: pixels in the picture, and the mesh in the network's 192-pixel square, turned by 0.3."""
    mesh = face.landmarks().astype(np.float64)
    c, s = np.cos(0.3), np.sin(0.3)
    own = (mesh - mesh.mean(axis=0)) * 0.7
    own[:, :2] = own[:, :2] @ [[c, -s], [s, c]] + 96
    return {"landmarks_xy": mesh[:, :2].astype(np.float32), "landmarks_3d": own, "presence": 3.0, "score": 0.9}


def payload(*people, count=40):
    frames = [[host_face(face) for person in people if (face := person(f)) is not None] for f in range(count)]
    return {"frames": frames, "image_size": (HEIGHT, WIDTH), "connection_sets": {}}


def left(frame):
    return Face(60 + frame, 70)


def right(frame):
    return Face(230 - frame / 2, 70) if frame not in (15, 16) else None


def test_host_faces_become_tracks_in_pixels():
    faces = from_host_landmarks(payload(right, left), Fraction(25))
    assert faces.size == (WIDTH, HEIGHT) and faces.frame_count == 40
    (first,), (second,) = faces.select(0), faces.select(1)
    samples = first.samples(0, 40).landmarks
    want = np.stack([left(f).landmarks() for f in range(40)])
    np.testing.assert_allclose(samples[..., :2], want[..., :2], atol=1e-2)
    depth = want[..., 2] - want[..., 2].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(samples[..., 2], depth, atol=1e-2)
    assert (second.samples(0, 40).weight == 1).all(), "the gap of two frames is bridged"


def test_named_cuts_end_tracks():
    faces = from_host_landmarks(payload(left), Fraction(25), cuts=[20])
    assert [(t.first_frame, t.stop_frame) for t in faces.tracks] == [(0, 20), (20, 40)]


@pytest.mark.parametrize("bad", [{}, {"frames": [], "image_size": 3}, {"frames": [[{}]], "image_size": (4, 4)}])
def test_other_payloads_are_refused_in_one_line(bad):
    with pytest.raises(InputError, match=r"^these face landmarks cannot be read [^\n]+$"):
        from_host_landmarks(bad, Fraction(25))
