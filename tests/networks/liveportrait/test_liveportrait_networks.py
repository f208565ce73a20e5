"""LivePortrait's networks against goldens of the published code, on weights filled by formula."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from liveportrait_material import (
    FILES,
    SMALL,
    TINY,
    assert_close,
    assert_sampled,
    filled_network,
    golden,
    manifests,
    picture,
    points,
    shapes_of,
    wave,
    write_liveportrait,
)
from safetensors.torch import load_file, save_file

from thfem_core.errors import WeightsError
from thfem_core.networks.liveportrait.keypoints import binned_degrees, face_motion, rotation_matrices
from thfem_core.networks.liveportrait.networks import (
    LivePortraitNetworks,
    Sizes,
    load_liveportrait,
    make_network,
    split_stitching,
)
from thfem_core.networks.liveportrait.stitching import retargeted, stitched


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> LivePortraitNetworks:
    """The networks of their true size, as they run on a CPU."""
    networks = load_liveportrait(write_liveportrait(tmp_path_factory.mktemp("liveportrait"), sizes=Sizes()))
    networks.prepare(torch.device("cpu"), torch.float32)
    return networks


@pytest.mark.parametrize(("role", "name"), [*FILES.items(), *SMALL.items()])
def test_state_dicts_are_the_published_ones(role: str, name: str) -> None:
    manifest = manifests()[f"liveportrait_{name}"]
    assert shapes_of(role, Sizes()) == manifest["keys"]
    with torch.device("meta"):
        network = make_network(role, Sizes())
    assert sum(parameter.numel() for parameter in network.parameters()) == manifest["parameters"]


def test_motion_extractor() -> None:
    stored = golden("liveportrait")
    raw = filled_network("motion")(picture(3, 256, 256)[None])
    for name, tensor in zip(("pitch", "yaw", "roll", "t", "exp", "scale", "kp"), raw, strict=True):
        assert_close(tensor, stored[f"M_{name}"], tolerance=1e-5)
    for angle in ("pitch", "yaw", "roll"):
        assert_close(binned_degrees(getattr(raw, angle))[:, None], stored[f"deg_{angle}"])


def test_rotations() -> None:
    stored = golden("liveportrait")
    assert_close(rotation_matrices(torch.tensor([[10.0, -20.0, 5.0]])), stored["R_10_m20_5"], tolerance=1e-6)


def test_small_networks() -> None:
    stored = golden("liveportrait")
    source, driving = points(0), points(0) + 0.1 * points(3)
    told = filled_network("stitching")(torch.cat([source.flatten(1), driving.flatten(1)], 1))
    assert_close(told, stored["S_out"])
    lips = retargeted(filled_network("lip"), source, torch.tensor([[0.08, 0.2]]))
    eyes = retargeted(filled_network("eye"), source, torch.tensor([[0.30, 0.28, 0.1]]))
    assert_close(lips.flatten(1), stored["Rlip_out"])
    assert_close(eyes.flatten(1), stored["Reye_out"])


def test_from_picture_to_picture(published: LivePortraitNetworks) -> None:
    """The chain of all networks as it runs: loaded from files, folded, with fewer multiplications."""
    stored = golden("liveportrait")
    image = picture(3, 256, 256)[None]
    appearance, face = published.appearance(image), face_motion(published.read_motion(image))
    assert_sampled(appearance.volume, stored, "F_out")
    assert_close(face.rotation, stored["R_s"])
    source = face.keypoints()
    assert_close(source, stored["chain_x_s"])
    expression = face.expression.clone()
    expression[:, [11, 13, 15, 16, 18]] += 0.02
    driving = stitched(published.stitching, source, face._replace(expression=expression).keypoints())
    assert_close(driving, stored["chain_x_d_stitched"])
    assert_sampled(published.render(appearance, source, driving), stored, "chain_out", tolerance=1e-3)


@pytest.mark.skipif("THFEM_FULL_SIZE" not in os.environ, reason="20 s, and the chain uses both: THFEM_FULL_SIZE=1")
def test_warping_and_decoder_alone(published: LivePortraitNetworks) -> None:
    stored = golden("liveportrait")
    source, driving = points(0), points(0) + 0.1 * points(3)
    appearance = published.warping.appearance(wave((1, 32, 16, 64, 64), 0, 0.5))
    motion = published.warping.motion(appearance, source, driving)
    assert_sampled(published.warping.warp(appearance, motion), stored, "W_out")
    assert_sampled(motion.occlusion, stored, "W_occlusion_map")
    assert_sampled(motion.deformation, stored, "W_deformation", tolerance=1e-5)
    assert_sampled(published.decoder(wave((1, 256, 64, 64))), stored, "G_out", tolerance=1e-3)


@pytest.mark.parametrize("layout", ["flat_module", "flat_short", "original_pth"])
def test_every_layout_loads_strictly(layout: str, tmp_path: Path) -> None:
    networks = load_liveportrait(write_liveportrait(tmp_path, layout=layout))
    assert networks.sizes == TINY and networks.sizes.side == 64
    x = torch.linspace(-1, 1, 126)[None]
    torch.testing.assert_close(networks.stitching(x), filled_network("stitching")(x))
    torch.testing.assert_close(networks.eye(x[:, :66]), filled_network("eye")(x[:, :66]))
    assert networks.decoder(torch.zeros(1, 16, 16, 16)).shape == (1, 3, 128, 128)


def test_a_file_with_stitching_alone_will_do(tmp_path: Path) -> None:
    files = write_liveportrait(tmp_path)
    kept = {k: v for k, v in load_file(files["stitching"]).items() if k.startswith("retarget_shoulder")}
    save_file(kept, files["stitching"])
    networks = load_liveportrait(files)
    assert networks.lip is None and networks.eye is None


def test_other_files_are_refused(tmp_path: Path) -> None:
    files = write_liveportrait(tmp_path)
    with pytest.raises(WeightsError, match="are not its networks"):
        load_liveportrait(files | {"warping": files["motion"]})
    with pytest.raises(WeightsError, match=r"motion_extractor\.safetensors holds no stitching"):
        load_liveportrait(files | {"stitching": files["motion"]})
    damaged = load_file(files["decoder"])
    damaged["extra.weight"] = torch.zeros(1)
    save_file(damaged, files["decoder"])
    with pytest.raises(WeightsError, match=r"spade_generator\.safetensors.* 1 unexpected \(extra\.weight\)"):
        load_liveportrait(files)


def test_layouts_are_told_apart_by_their_dots() -> None:
    """ "retarget_eye" begins the names of two layouts."""
    short = {f"{p}.mlp.0.bias": torch.zeros(1) for p in ("stitching", "retarget_lip", "retarget_eye")}
    assert set(split_stitching(short, what="x")) == {"stitching", "lip", "eye"}
    long = {f"retarget_{p}_module.mlp.0.bias": torch.zeros(1) for p in ("shoulder", "mouth", "eye")}
    assert {k: list(v) for k, v in split_stitching(long, what="x").items()} == {
        name: ["mlp.0.bias"] for name in ("stitching", "lip", "eye")
    }


def test_half_precision_keeps_its_grids() -> None:
    """The large networks in bfloat16, as on a graphics card; shapes and types only."""
    with torch.device("meta"):
        names = ("appearance", "motion", "warping", "decoder", "stitching")
        networks = LivePortraitNetworks({name: make_network(name, Sizes()) for name in names}, Sizes()).eval()
        for network in networks.large:
            network.to(torch.bfloat16)
        images = torch.empty(2, 3, 256, 256)
        raw, appearance = networks.read_motion(images), networks.appearance(images)
        drawn = networks.render(appearance, torch.empty(2, 21, 3), torch.empty(2, 21, 3))
    assert appearance.volume.dtype == torch.bfloat16
    assert {tensor.dtype for tensor in (*raw, drawn)} == {torch.float32}
    assert drawn.shape == (2, 3, 512, 512)
