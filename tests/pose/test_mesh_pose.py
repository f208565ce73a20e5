from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thfem_core.errors import InputError
from thfem_core.face.mesh.canonical import canonical_mesh
from thfem_core.face.pose import HeadPose
from thfem_core.face.tracking.track import FaceSamples
from thfem_core.pose.encoder import pose_encoders
from thfem_core.pose.vectors import pose_vectors


def rotation_matrices(angles: np.ndarray) -> np.ndarray:
    """(T, 3) yaw, pitch, roll in degrees → (T, 3, 3): the inverse of ``HeadPose.angles``."""
    (cy, cp, cr), (sy, sp, sr) = (f(np.radians(np.asarray(angles, np.float64))).T for f in (np.cos, np.sin))
    zero, one = np.zeros_like(cy), np.ones_like(cy)
    about_y = np.array([[cy, zero, -sy], [zero, one, zero], [sy, zero, cy]])
    about_x = np.array([[one, zero, zero], [zero, cp, sp], [zero, -sp, cp]])
    about_z = np.array([[cr, -sr, zero], [sr, cr, zero], [zero, zero, one]])
    return np.einsum("ijt,jkt,klt->til", about_y, about_x, about_z)


def pose_from_vectors(vectors: np.ndarray) -> HeadPose:
    """(T, 6) → the pose, its translation at depth 0."""
    vectors = np.asarray(vectors, np.float64)
    translation = np.column_stack([vectors[:, 4:6], np.zeros(len(vectors))])
    return HeadPose(scale=vectors[:, 3], rotation=rotation_matrices(vectors[:, :3]), translation=translation)


class MovingHead:
    """A track of the average face itself, seen in frames [3, 3 + T) under known poses, absent in frame 5."""

    track_id = 0
    first_frame = 3

    def __init__(self, vectors: np.ndarray) -> None:
        self.stop_frame = 3 + len(vectors)
        self._landmarks = pose_from_vectors(vectors).to_image(canonical_mesh()).astype(np.float32)
        self.asked: list[tuple[int, int]] = []

    def samples(self, start: int, stop: int) -> FaceSamples:
        self.asked.append((start, stop))
        landmarks = np.full((stop - start, 478, 3), np.nan, np.float32)
        for row, frame in enumerate(range(start, stop)):
            if self.first_frame <= frame < self.stop_frame and frame != 5:
                landmarks[row] = self._landmarks[frame - 3]
        there = np.isfinite(landmarks[:, 0, 0]).astype(np.float32)
        return FaceSamples(first_frame=start, landmarks=landmarks, weight=there, yaw=there)


angles = st.tuples(st.floats(-80, 80), st.floats(-80, 80), st.floats(-170, 170))


@given(st.lists(angles, min_size=1, max_size=5))
def test_angles_and_matrices_are_inverse(rows):
    matrices = rotation_matrices(np.array(rows))
    np.testing.assert_allclose(
        matrices @ np.swapaxes(matrices, 1, 2), np.broadcast_to(np.eye(3), matrices.shape), atol=1e-9
    )
    assert np.linalg.det(matrices) == pytest.approx(1)
    pose = HeadPose(scale=np.ones(len(rows)), rotation=matrices, translation=np.zeros((len(rows), 3)))
    np.testing.assert_allclose(pose.angles(), rows, atol=1e-5)


def test_the_signs_are_what_a_viewer_sees():
    """Where the tip of the nose (towards the camera: negative z) goes, and the chin below it."""
    nose, below = np.array([0, 0, -10.0]), np.array([0, 10.0, 0])
    right, up, clockwise = rotation_matrices(np.diag([30.0, 30.0, 30.0]))
    assert (right @ nose)[0] > 4  # to the image's right
    assert (up @ nose)[1] < -4  # y points down
    assert (clockwise @ below)[0] < -4  # what is below moves to the left


@pytest.fixture
def vectors() -> np.ndarray:
    t = np.arange(12)
    return np.column_stack(
        [20 * np.sin(t), 8 * np.cos(t), 5 * np.sin(2 * t), 0.5 + 0.01 * t, 100 + t, 90 - 2 * t]
    ).astype(np.float32)


def test_the_encoder_reads_the_pose_of_every_frame(vectors):
    head = MovingHead(vectors)
    poses = pose_encoders.create("mesh").encode(head)
    assert head.asked == [], "nothing is read before it is asked for"
    read = pose_vectors(poses.read(0, 17))
    assert read.shape == (17, 6) and read.dtype == np.float32
    absent = [0, 1, 2, 5, 15, 16]
    assert np.isnan(read[absent]).all()
    present = [i for i in range(17) if i not in absent]
    np.testing.assert_allclose(read[present], vectors[[i - 3 for i in present]], atol=2e-3)


def test_blocks_join_without_a_seam(vectors):
    poses = pose_encoders.create("mesh").encode(MovingHead(vectors))
    whole = poses.read(0, 17)
    parts = [poses.read(a, b) for a, b in ((0, 4), (4, 4), (4, 11), (11, 17))]
    for name in ("scale", "rotation", "translation"):
        np.testing.assert_array_equal(getattr(whole, name), np.concatenate([getattr(part, name) for part in parts]))


def test_an_unknown_encoder_names_the_known():
    with pytest.raises(InputError, match="mesh"):
        pose_encoders.create("resnet")
