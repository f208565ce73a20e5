from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_scene import Face

from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.pose import fit_similarity, head_pose


def turn(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Built from axis rotations, apart from the code under test: x right, y down, z away from the camera."""
    y, p, r = np.radians([yaw, pitch, roll])
    right = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    up = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    clockwise = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return right @ up @ clockwise


angle = st.floats(-80, 80)
shift = st.floats(-2000, 2000)


@settings(max_examples=60, deadline=None)
@given(yaw=angle, pitch=angle, roll=st.floats(-175, 175), scale=st.floats(0.05, 20), x=shift, y=shift, z=shift)
def test_any_similarity_is_recovered(yaw, pitch, roll, scale, x, y, z):
    mesh = canonical_mesh()
    placed = scale * mesh @ turn(yaw, pitch, roll).T + (x, y, z)
    pose = head_pose(placed[None], mesh)
    np.testing.assert_allclose(pose.angles()[0], (yaw, pitch, roll), atol=0.02)
    np.testing.assert_allclose(pose.scale[0], scale, rtol=1e-4)
    np.testing.assert_allclose(pose.translation[0], (x, y, z), atol=0.01 + 0.001 * scale)
    np.testing.assert_allclose(pose.to_image(mesh)[0], placed, atol=0.01 + 0.01 * scale)
    np.testing.assert_allclose(pose.to_canonical(placed[None])[0], mesh, atol=0.05 + 0.01 / scale)


def test_directions_are_those_documented():
    mesh = canonical_mesh()
    nose = {}
    for name, angles in {"right": (30, 0, 0), "up": (0, 30, 0), "clockwise": (0, 0, 30)}.items():
        placed = mesh @ turn(*angles).T
        nose[name] = placed[4] - placed[[33, 263]].mean(axis=0)
        got = head_pose(placed[None], mesh).angles()[0]
        np.testing.assert_allclose(got, angles, atol=1e-3)
    front = mesh[4] - mesh[[33, 263]].mean(axis=0)
    assert nose["right"][0] > front[0] + 10, "yaw positive: the nose points to the image's right"
    assert nose["up"][1] < front[1] - 10, "pitch positive: the nose points up"
    assert nose["clockwise"][0] < front[0], "roll positive: what lies below swings to the left"


def test_a_mirrored_face_still_gives_a_rotation():
    mirrored = canonical_mesh() * (1, 1, -1)
    pose = fit_similarity(mirrored[None], canonical_mesh())
    assert np.linalg.det(pose.rotation[0]) == pytest.approx(1.0)


def test_frames_are_independent():
    mesh = canonical_mesh()
    faces = np.stack([Face(10 * i, 5, scale=0.2 + 0.1 * i, yaw=9 * i).landmarks() for i in range(5)])
    together, alone = head_pose(faces, mesh), [head_pose(face[None], mesh) for face in faces]
    np.testing.assert_array_equal(together.rotation, np.concatenate([p.rotation for p in alone]))
    np.testing.assert_array_equal(together.scale, np.concatenate([p.scale for p in alone]))
