"""Where the pixels of a drawn mouth come from, what lies where in it, and which part of the picture it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mouth_material import PLACE, SCALE, opened, pose, shut

from thfem_core.talking_head.mouth.geometry import (
    INNER_LIPS,
    OUTER_LIPS,
    MouthGeometry,
    mouth_geometry,
    polygon_mask,
    skull_points,
)
from thfem_core.talking_head.mouth.paste import lower_face
from thfem_core.talking_head.mouth.region import CENTRE, SIDE, mouth_regions

R, S = 168, 128
MARGIN = (R - S) / 2
# Points of the mesh well inside the region: lips, chin, below the cheeks.
INNER = [*OUTER_LIPS, *INNER_LIPS, 18, 200, 199, 175, 164, 43, 273, 57, 287]


def in_region(shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mesh (478, 3) and skull points (P, 2) of an upright head, in pixels of its region with margin."""
    head = pose()
    crop = mouth_regions(head, margin=R / S)[0]
    mesh = head.to_image(shape[None])[0]
    placed = np.concatenate([crop.to_crop(mesh[:, :2], R), mesh[:, 2:] * R / crop.side], axis=1)
    return placed, crop.to_crop(skull_points(head)[0], R)


def grid(size: int, offset: float = 0.0) -> np.ndarray:
    axis = np.arange(size) + 0.5 + offset
    return np.stack(np.meshgrid(axis, axis), axis=-1)


def geometry(source: np.ndarray, target: np.ndarray, move: np.ndarray | None = None) -> MouthGeometry:
    """Between two shapes, ``move`` (2, 3) applied to everything of the target."""
    (mesh, skull), (moved, moved_skull) = in_region(source), in_region(target)
    if move is not None:
        moved = np.concatenate([moved[:, :2] @ move[:, :2].T + move[:, 2], moved[:, 2:]], axis=1)
        moved_skull = moved_skull @ move[:, :2].T + move[:, 2]
    return mouth_geometry(mesh, moved, skull, moved_skull, source_size=R, target_size=S)


def at(flow: np.ndarray, points: np.ndarray) -> np.ndarray:
    """A field (S, S, 2) at pixel positions (P, 2) of the drawn region, bilinear."""
    xy = (points - 0.5).astype(np.float32)
    return cv2.remap(flow.astype(np.float32), xy[None, :, 0], xy[None, :, 1], cv2.INTER_LINEAR)[0]


def test_the_same_mesh_comes_from_where_it_is() -> None:
    same = geometry(opened(0.3), opened(0.3))
    for flow in same.flows:
        np.testing.assert_allclose(flow, grid(S, MARGIN), atol=1e-3)
    assert same.flows.dtype == same.target_masks.dtype == same.source_mask.dtype == np.float32
    inside = same.source_mask[int(MARGIN) : int(MARGIN) + S, int(MARGIN) : int(MARGIN) + S]
    np.testing.assert_allclose(inside, same.target_masks[0], atol=0.02)


@settings(max_examples=15)
@given(st.floats(-4, 4), st.floats(-4, 4), st.floats(-8, 8))
def test_a_moved_and_turned_face_is_followed(dx: float, dy: float, degrees: float) -> None:
    move = cv2.getRotationMatrix2D((R / 2, R / 2), degrees, 1.0)
    move[:, 2] += dx, dy
    shape = opened(0.2)
    mesh = in_region(shape)[0]
    found = geometry(shape, shape, move)
    targets = mesh[INNER, :2] @ move[:, :2].T + move[:, 2] - MARGIN
    np.testing.assert_allclose(at(found.flows[0], targets), mesh[INNER, :2], atol=0.5)
    # Rigid carriers follow exactly, all over the region.
    back = cv2.invertAffineTransform(move)
    everywhere = grid(S, MARGIN) @ back[:, :2].T + back[:, 2]
    for rigid in found.flows[1:]:
        np.testing.assert_allclose(rigid, everywhere, atol=0.02)


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.6), (0.6, 0.0), (0.2, 0.5)])
def test_an_opening_mouth_is_followed_and_the_skull_is_not_moved(before: float, after: float) -> None:
    source, target = in_region(opened(before))[0], in_region(opened(after))[0]
    found = geometry(opened(before), opened(after))
    # Inner lips are a border between two motions, which the smooth flow rounds off.
    ring = [18, 200, 199, 175, 17, 84, 314, 0, 164, 57, 287]
    error = np.linalg.norm(at(found.flows[0], target[ring, :2] - MARGIN) - source[ring, :2], axis=1)
    assert error.mean() < 0.6 and error.max() < 2
    np.testing.assert_allclose(found.flows[1], grid(S, MARGIN), atol=1e-3)
    dropped = (source - target)[[152, 148, 176, 377, 400, 175, 199], :2].mean(axis=0)
    np.testing.assert_allclose(found.flows[2] - found.flows[1], np.broadcast_to(dropped, (S, S, 2)), atol=1e-3)
    assert (dropped[1] < -5) == (after > before)


def test_masks_tell_the_mouths_inside_from_the_lips() -> None:
    found = geometry(opened(0.0), opened(0.5))
    inside, lips = found.target_masks
    assert inside.sum() > 200 and found.source_mask.sum() < 0.5 * inside.sum()
    assert (lips >= inside - 1e-6).all() and lips.sum() > 1.5 * inside.sum()
    mesh = in_region(opened(0.5))[0][:, :2] - MARGIN
    for ring, mask in ((INNER_LIPS, inside), (OUTER_LIPS, lips)):
        x, y = mesh[list(ring)].T
        area = 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
        assert mask.sum() == pytest.approx(area, rel=0.12)


@given(st.floats(10, 20), st.floats(10, 20), st.floats(3, 9))
def test_polygon_masks_keep_area_and_place(x: float, y: float, side: float) -> None:
    square = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]])
    mask = polygon_mask(square, 32)
    assert mask.min() >= 0 and mask.max() <= 1
    centre = (mask[..., None] * grid(32)).sum(axis=(0, 1)) / mask.sum()
    np.testing.assert_allclose(centre, [x + side / 2, y + side / 2], atol=0.6)
    # OpenCV draws the border itself too: up to a pixel more on every side.
    assert side**2 <= mask.sum() <= (side + 2) ** 2


@given(
    st.floats(-40, 40), st.floats(-25, 25), st.floats(0.3, 3), st.floats(-50, 300), st.floats(-50, 300), st.floats(1, 2)
)
def test_the_region_is_fixed_to_the_head(
    roll: float, yaw: float, scale: float, x: float, y: float, margin: float
) -> None:
    head = pose(roll=roll, yaw=yaw, at=(x, y), scale=scale)
    crop = mouth_regions(head, margin=margin)[0]
    assert crop.side == pytest.approx(SIDE * scale * margin)
    np.testing.assert_allclose(crop.to_crop(head.to_image(CENTRE)[0, :, :2], S), [[S / 2, S / 2]], atol=1e-6)
    assert np.degrees(crop.rotation) == pytest.approx(head.angles()[0, 2])


def test_the_region_does_not_follow_the_lips_and_holds_the_lower_face() -> None:
    """However far the mouth opens in speech, lips and chin lie inside, in the same region."""
    for amount in (0.0, 0.5):
        mesh, _ = in_region(opened(amount))
        face = mesh[[*OUTER_LIPS, 2, 152, 175], :2] - MARGIN
        assert face.min() > 0 and face.max() < S
    assert mouth_regions(pose())[0].cx == pytest.approx(PLACE[0])
    assert mouth_regions(pose())[0].side == pytest.approx(SCALE * SIDE)


@settings(max_examples=20)
@given(st.floats(0, 1), st.floats(-30, 30), st.floats(-30, 30))
def test_what_is_pasted_fades_to_nothing(amount: float, dx: float, dy: float) -> None:
    """0 at the region's border wherever the face lies, no step anywhere, whole on the lips."""
    mesh = in_region(opened(amount))[0][:, :2] - MARGIN
    moved = lower_face([mesh + np.array([dx, dy])], S)
    assert moved.dtype == np.float32 and moved.min() >= 0 and moved.max() <= 1
    border = np.concatenate([moved[0], moved[-1], moved[:, 0], moved[:, -1]])
    assert border.max() < 0.05
    assert np.abs(np.diff(moved, axis=0)).max() < 0.25 and np.abs(np.diff(moved, axis=1)).max() < 0.25
    still = lower_face([mesh], S)
    assert (still[polygon_mask(mesh[list(OUTER_LIPS)], S) > 0.99] > 0.9).all()
    both = lower_face([mesh, mesh + np.array([0, 6])], S)
    assert (both >= still - 0.02).all() and both.sum() > still.sum()


@pytest.mark.parametrize("was", [0.1, 0.3, 0.5])
def test_lips_that_are_shut_come_from_lips_and_not_from_between_them(was: float) -> None:
    """Above the line where they meet only the upper lip is seen, below it only the lower: no dark slit stays."""
    source, target = in_region(opened(was))[0], in_region(shut())[0]
    found = geometry(opened(was), shut())
    middle = [13, 14]
    x, y = target[middle, :2].mean(axis=0) - MARGIN
    column, rows = int(x), np.arange(S) + 0.5
    shown = found.flows[0][:, column, 1]
    above = shown[(rows < y - 0.5) & (rows > y - 5)]
    below = shown[(rows > y + 0.5) & (rows < y + 5)]
    assert above.max() < source[13, 1] + 1
    assert below.min() > source[14, 1] - 1
