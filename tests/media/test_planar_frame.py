from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_material import smooth_rgb

from thfem_core.media.array_frame import ArrayFrame
from thfem_core.media.frame import Box
from thfem_core.media.yuv.colour import ColourTags
from thfem_core.media.yuv.conversion import reformatted, to_planar
from thfem_core.media.yuv.pixel_format import pixel_layout, planar_format
from thfem_core.media.yuv.planar_frame import PlanarFrame, picture_from_rgb
from thfem_core.media.yuv.planes import plane_views

FORMATS = [
    "yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv440p", "yuv411p", "yuv420p10le", "yuv422p10le", "yuv444p12le",
    "yuv420p16le", "yuva420p", "yuva444p10le", "gbrp", "gbrap", "gbrp10le", "gray", "gray10le",
]  # fmt: skip
LIMITED, FULL = 1, 2


def planar(rgb: np.ndarray, pix_fmt: str, tags: ColourTags | None = None) -> PlanarFrame:
    layout, tags = pixel_layout(pix_fmt), tags or ColourTags()
    picture = picture_from_rgb(rgb, layout, tags)
    return PlanarFrame(index=0, time=Fraction(0), picture=picture, layout=layout, tags=tags)


def noisy(width: int, height: int, pix_fmt: str, seed: int) -> PlanarFrame:
    """Every sample random, whether or not it is a colour."""
    frame = planar(np.zeros((height, width, 3), np.uint8), pix_fmt)
    rng = np.random.default_rng(seed)
    for view in plane_views(frame.picture, frame.layout):
        view[...] = rng.integers(0, frame.layout.maximum + 1, view.shape)
    return frame


def samples(frame: PlanarFrame) -> list[np.ndarray]:
    return [view.copy() for view in plane_views(frame.picture, frame.layout)]


@st.composite
def pastes(draw: st.DrawFn) -> tuple[PlanarFrame, Box, np.ndarray, np.ndarray]:
    width, height = draw(st.integers(1, 33)), draw(st.integers(1, 33))
    x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    box = Box(x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height)))
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    alpha = np.clip(rng.uniform(-0.5, 1.5, (box.height, box.width)), 0, 1).astype(np.float32)
    rgb = rng.integers(0, 256, (box.height, box.width, 3), np.uint8)
    return noisy(width, height, draw(st.sampled_from(FORMATS)), seed), box, rgb, alpha


@settings(deadline=None, max_examples=150)
@given(pastes())
def test_samples_outside_the_mask_stay_and_those_fully_inside_become_the_patch(paste) -> None:
    frame, box, rgb, alpha = paste
    before = samples(frame)
    result = frame.paste(box, rgb, alpha)
    full = np.zeros((frame.height, frame.width), np.float32)
    full[box.y0 : box.y1, box.x0 : box.x1] = alpha
    canvas = np.zeros((frame.height, frame.width, 3), np.uint8)
    canvas[box.y0 : box.y1, box.x0 : box.x1] = rgb
    patch = samples(planar(canvas, frame.layout.name))
    for index, (old, new, wanted) in enumerate(zip(before, samples(result), patch, strict=True)):
        if index == frame.layout.alpha:
            np.testing.assert_array_equal(new, old)
            continue
        shift_x, shift_y = frame.layout.plane_shift(index)
        for y in range(old.shape[0]):
            for x in range(old.shape[1]):
                block = full[y << shift_y : (y + 1) << shift_y, x << shift_x : (x + 1) << shift_x]
                if block.min() == 0.0:
                    assert new[y, x] == old[y, x]
                elif block.min() == 1.0:
                    assert new[y, x] == wanted[y, x]
    for old, now in zip(before, samples(frame), strict=True):
        np.testing.assert_array_equal(old, now)  # the frame itself never changes
    assert (result.index, result.time, result.tags) == (frame.index, frame.time, frame.tags)


@pytest.mark.parametrize("matrix", [1, 5, 6, 7, 8, 9, 2])
@pytest.mark.parametrize("colour_range", [LIMITED, FULL])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p10le"])
def test_colours_survive_a_paste_of_what_was_read(pix_fmt: str, matrix: int, colour_range: int) -> None:
    rgb = smooth_rgb(384, 256)
    frame = planar(rgb, pix_fmt, ColourTags(matrix=matrix, range=colour_range))
    again = frame.rgb()
    assert np.abs(again.astype(int) - rgb).max() <= 6  # 4:2:0 holds one colour per four pixels
    assert np.abs(again.astype(int) - rgb).mean() <= 1.2
    box = Box(7, 5, 190, 160)
    pasted = frame.paste(box, frame.rgb(box), np.ones((box.height, box.width), np.float32))
    for old, new in zip(samples(frame), samples(pasted), strict=True):
        assert np.abs(old.astype(int) - new).max() <= (2 if frame.layout.bits == 8 else 4)


@pytest.mark.parametrize(
    ("matrix", "colour_range", "red"),
    [(1, LIMITED, (63, 102, 240)), (6, LIMITED, (81, 90, 240)), (9, LIMITED, (74, 97, 240)), (5, FULL, (76, 85, 255))],
)
def test_pure_red_has_the_textbook_samples(matrix: int, colour_range: int, red: tuple[int, int, int]) -> None:
    rgb = np.zeros((2, 2, 3), np.uint8)
    rgb[..., 0] = 255
    frame = planar(rgb, "yuv444p", ColourTags(matrix=matrix, range=colour_range))
    assert tuple(int(plane[0, 0]) for plane in samples(frame)) == red
    assert np.abs(frame.rgb().astype(int) - rgb).max() <= 2


@pytest.mark.skipif(int(av.__version__.split(".")[0]) < 15, reason="older PyAV keeps the colour range from swscale")
@pytest.mark.parametrize(
    ("matrix", "swscale"),  # swscale's own number: PyAV 17, the last for Python 3.10, has no name for BT.2020
    [(1, 1), (5, 5), (6, 5), (7, 7), (9, 9)],
)
@pytest.mark.parametrize("colour_range", [LIMITED, FULL])
def test_colours_agree_with_swscale(matrix: int, swscale: int, colour_range: int) -> None:
    frame = planar(smooth_rgb(96, 64, seed=3), "yuv444p", ColourTags(matrix=matrix, range=colour_range))
    theirs = frame.picture.reformat(
        format="rgb24", src_colorspace=swscale, src_color_range=colour_range, dst_color_range=FULL
    ).to_ndarray()
    difference = np.abs(frame.rgb().astype(int) - theirs)
    assert difference.max() <= 3
    assert difference.mean() <= 1.6  # swscale rounds down


def test_the_guess_is_bt709_from_720_lines_and_bt601_below() -> None:
    for height, matrix in ((720, 1), (718, 6)):
        rgb = smooth_rgb(32, height)
        unspecified = samples(planar(rgb, "yuv420p"))
        tagged = samples(planar(rgb, "yuv420p", ColourTags(matrix=matrix, range=LIMITED)))
        for a, b in zip(unspecified, tagged, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_a_region_is_that_part_of_the_whole(pix_fmt: str) -> None:
    frame = noisy(31, 23, pix_fmt, seed=4)
    whole = frame.rgb()
    assert whole.shape == (23, 31, 3)
    for box in (Box(0, 0, 31, 23), Box(3, 5, 20, 22), Box(30, 22, 31, 23), Box(1, 0, 2, 1)):
        np.testing.assert_array_equal(frame.rgb(box), whole[box.y0 : box.y1, box.x0 : box.x1])
    assert frame.rgb(Box(4, 4, 4, 9)).shape == (5, 0, 3)
    with pytest.raises(ValueError, match="not inside"):
        frame.rgb(Box(-1, 0, 4, 4))


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p10le", "gbrp", "gray"])
def test_a_thumbnail_is_the_area_average(pix_fmt: str) -> None:
    frame = planar(smooth_rgb(160, 96), pix_fmt)
    small = frame.thumbnail(20, 12)
    average = frame.rgb().reshape(12, 8, 20, 8, 3).mean(axis=(1, 3))
    assert np.abs(small - average).max() <= 3  # a rounded chroma sample counts double in blue
    odd = frame.thumbnail(23, 13)  # no whole-number step
    assert np.abs(odd - cv2.resize(frame.rgb(), (23, 13), interpolation=cv2.INTER_AREA).astype(int)).max() <= 4


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv411p", "yuv444p10le", "gbrp", "gray"])
def test_a_thumbnail_of_a_part_is_that_part_of_the_whole(pix_fmt: str) -> None:
    frame = planar(smooth_rgb(160, 96), pix_fmt)
    whole = frame.thumbnail(40, 24)  # by a whole number: every pixel is a mean of its own 4 x 4
    np.testing.assert_array_equal(frame.thumbnail(20, 10, Box(16, 8, 96, 48)), whole[2:12, 4:24])


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p10le", "gbrp", "gray"])
@pytest.mark.parametrize("place", [(80.0, 48.0), (3.0, 90.0)])
def test_a_warp_samples_the_picture_where_the_map_says(
    pix_fmt: str, place: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def watched(samples: np.ndarray, *rest: object, **named: object) -> np.ndarray:
        read.append(samples.shape[:2])
        return warp_affine(samples, *rest, **named)

    warp_affine = cv2.warpAffine
    monkeypatch.setattr("thfem_core.media.yuv.planes.cv2.warpAffine", watched)
    frame = planar(smooth_rgb(160, 96), pix_fmt)
    c, s = 0.9 * np.cos(0.4), 0.9 * np.sin(0.4)
    linear = np.array([[c, -s], [s, c]])
    to_frame = np.column_stack([linear, place - linear @ (24, 16)])
    points = np.stack(np.meshgrid(np.arange(48), np.arange(32)), axis=-1) + 0.5
    x, y = (points @ linear.T + to_frame[:, 2] - 0.5).astype(np.float32).transpose(2, 0, 1)
    expected = cv2.remap(frame.rgb(), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    difference = np.abs(frame.warped(to_frame, 48, 32).astype(int) - expected)
    assert difference.mean() <= 1.0  # colour is sampled smoothly, and not in blocks
    assert difference.max() <= 6
    assert all(height <= 60 and width <= 70 for height, width in read)  # no more than lies under the result


@pytest.mark.parametrize(
    "pix_fmt",
    ["rgb24", "bgr24", "rgba", "bgra", "argb", "rgb0", "nv12", "nv16", "nv24", "yuyv422", "uyvy422", "p010le", "ya8",
     "gray16be", "yuv420p10be", "rgb48le", "rgba64le"],
)  # fmt: skip
def test_packed_formats_become_planar_without_loss(pix_fmt: str) -> None:
    name = planar_format(pix_fmt)
    frame = noisy(16, 8, name, seed=5)
    if pix_fmt == "ya8":
        frame = planar(np.repeat(smooth_rgb(16, 8)[..., :1], 3, axis=2), name)
    packed = frame.picture.reformat(format=pix_fmt)
    picture, layout = to_planar(packed)
    assert (picture.format.name, layout.name) == (name, name)
    for old, new in zip(samples(frame), plane_views(picture, layout), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_conversion_loses_no_rows() -> None:
    packed = noisy(16, 16, "yuv422p10le", seed=5).picture.reformat(format="y210le")
    layout = pixel_layout("yuv422p10le")
    chroma = {plane_views(reformatted(packed, format=layout.name), layout)[1].tobytes() for _ in range(4000)}
    assert len(chroma) == 1  # on several threads one in 200 is another


def test_a_palette_becomes_its_colours() -> None:
    picture = av.VideoFrame(2, 1, "pal8")
    picture.planes[0].update(bytes([0, 3]) + bytes(picture.planes[0].buffer_size - 2))
    palette = np.zeros((256, 4), np.uint8)
    palette[0], palette[3] = (10, 20, 30, 255), (40, 50, 60, 128)  # blue, green, red, alpha
    picture.planes[1].update(palette.tobytes())
    flat, layout = to_planar(picture)
    frame = PlanarFrame(index=0, time=Fraction(0), picture=flat, layout=layout, tags=ColourTags())
    np.testing.assert_array_equal(frame.rgb(), [[[30, 20, 10], [60, 50, 40]]])
    np.testing.assert_array_equal(plane_views(flat, layout)[layout.alpha], [[255, 128]])


def test_a_paste_that_does_not_fit_is_refused() -> None:
    frame = planar(smooth_rgb(16, 16), "yuv420p")
    with pytest.raises(ValueError, match="not inside"):
        frame.paste(Box(8, 8, 20, 12), np.zeros((4, 12, 3), np.uint8), np.ones((4, 12), np.float32))
    with pytest.raises(ValueError, match="needs uint8 rgb"):
        frame.paste(Box(0, 0, 4, 4), np.zeros((4, 4, 3), np.float32), np.ones((4, 4), np.float32))


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**31), st.booleans())
def test_an_array_frame_keeps_every_value_outside_the_mask(seed: int, integer: bool) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (9, 11, 3), np.uint8)
    if not integer:
        pixels = rng.random((9, 11, 3), np.float32) * 1.5 - 0.2  # host images may leave 0..1
    before = pixels.copy()
    frame = ArrayFrame(index=3, time=Fraction(1, 2), pixels=pixels)
    box = Box(2, 1, 9, 8)
    rgb = rng.integers(0, 256, (7, 7, 3), np.uint8)
    alpha = np.clip(rng.uniform(-0.5, 1.5, (7, 7)), 0, 1).astype(np.float32)
    result = frame.paste(box, rgb, alpha)
    kept = np.ones((9, 11), bool)
    kept[1:8, 2:9] = alpha == 0
    np.testing.assert_array_equal(result.pixels[kept], before[kept])
    np.testing.assert_array_equal(result.rgb(box)[alpha == 1], rgb[alpha == 1])
    np.testing.assert_array_equal(pixels, before)
    assert (result.width, result.height, result.index, result.time) == (11, 9, 3, Fraction(1, 2))
    assert result.thumbnail(5, 4).shape == (4, 5, 3)


@settings(max_examples=40, deadline=None)
@given(pastes(), st.integers(0, 2**31))
def test_restoring_takes_the_sources_stored_samples(case: tuple[PlanarFrame, Box, np.ndarray, np.ndarray], seed: int):
    frame, box, _, alpha = case
    source = noisy(frame.width, frame.height, frame.picture.format.name, seed)
    before = samples(frame)
    restored = frame.restored(source, box, alpha)
    for index in frame.layout.planes:
        step_x, step_y = (1 << shift for shift in frame.layout.plane_shift(index))
        old, new, out = before[index], samples(source)[index], samples(restored)[index]
        whole = np.zeros((frame.height, frame.width), np.float32)
        whole[box.y0 : box.y1, box.x0 : box.x1] = alpha
        for row in range(old.shape[0]):
            for column in range(old.shape[1]):
                block = whole[row * step_y : (row + 1) * step_y, column * step_x : (column + 1) * step_x]
                if block.size and block.max() == 1:
                    assert out[row, column] == new[row, column]
                elif not block.size or block.max() == 0:
                    assert out[row, column] == old[row, column]
    assert all((a == b).all() for a, b in zip(before, samples(frame), strict=True)), "the frame itself is not written"


def test_restoring_arrays_is_exact_and_other_kinds_are_pasted():
    rng = np.random.default_rng(0)
    alpha = np.array([[0, 0.5, 1, 1]], np.float32)
    for pixels in (rng.integers(0, 256, (2, 3, 4, 3), np.uint8), rng.random((2, 3, 4, 3), np.float32)):
        edited, source = (ArrayFrame(index=0, time=Fraction(0), pixels=each) for each in pixels)
        out = edited.restored(source, Box(0, 1, 4, 2), alpha)
        np.testing.assert_array_equal(out.pixels[1, 2:], source.pixels[1, 2:])
        np.testing.assert_array_equal(out.pixels[[0, 2]], edited.pixels[[0, 2]])
        np.testing.assert_array_equal(out.pixels[1, 0], edited.pixels[1, 0])
    other = planar(rng.integers(0, 256, (3, 4, 3), np.uint8), "yuv420p")
    whole = np.ones((3, 4), np.float32)
    np.testing.assert_array_equal(edited.restored(other, Box(0, 0, 4, 3), whole).rgb(), other.rgb())
