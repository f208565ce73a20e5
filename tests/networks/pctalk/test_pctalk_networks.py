"""PC-Talk's networks against goldens of the published code, on weights filled by formula."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from liveportrait_material import assert_close, assert_sampled, golden, manifests, motion, rng, wave
from pctalk_material import state_of
from torch import nn

from thfem_core.errors import InputError, WeightsError
from thfem_core.networks.liveportrait.regions import EYE_ROWS, LIP_ROWS, LIPS, mask
from thfem_core.networks.liveportrait.smoothing import smooth_sequence
from thfem_core.networks.pctalk.application import OBSERVATION, articulated, expression_offset, with_lips
from thfem_core.networks.pctalk.decoder import attention_bias, position_table
from thfem_core.networks.pctalk.motion import (
    EMOTIONS,
    EmotionNetwork,
    LipNetwork,
    LipRefinement,
    LipSequence,
    StyleEncoder,
    by_axis,
    by_point,
    pure_emotion,
)
from thfem_core.networks.pctalk.networks import (
    check_person,
    load_audio_encoder,
    load_emotion_network,
    load_lip_network,
    load_style_encoder,
)
from thfem_core.networks.pctalk.speaking_style import speaking_style
from thfem_core.networks.pctalk.speech import AudioEncoder, SpeechFeatures, frame_count, mel_columns

STORED = golden("pctalk")
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "audio_encoder": AudioEncoder,
    "emc": EmotionNetwork,
    "lac": LipNetwork,
    "lip_refinement": LipRefinement,
    "style_encoder": StyleEncoder,
}
AUDIO, LIP_AUDIO = wave((47, 512), 0, 0.5), wave((47, 512), 0.1, 0.4)
FACE = motion(47, 0.0)


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


@cache
def filled(name: str) -> nn.Module:
    network = NETWORKS[name]()
    network.load_state_dict(state_of(name))
    return network.eval().requires_grad_(False)


def speech_wave() -> np.ndarray:
    """Two seconds at 16 kHz: three harmonics of a wandering pitch, swelling and fading, and noise."""
    n = np.arange(32000)
    phase = 2 * np.pi * np.cumsum(180 + 60 * np.sin(2 * np.pi * 1.5 * n / 16000 + 3)) / 16000
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 3 * n / 16000 + 6)
    voice = (0.25 * np.sin(phase) + 0.12 * np.sin(2 * phase) + 0.06 * np.sin(3 * phase)) * swell
    return (voice + 0.01 * np.random.RandomState(3).standard_normal(len(n))).astype(np.float32)


def smoothed(deformations: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(smooth_sequence(deformations.numpy(), OBSERVATION)).float()


@pytest.mark.parametrize("name", NETWORKS)
def test_state_dicts_are_the_published_ones(name: str) -> None:
    network = NETWORKS[name]()
    manifest = manifests()[f"pctalk_{name}"]
    assert {key: list(tensor.shape) for key, tensor in network.state_dict().items()} == manifest["keys"]
    assert sum(parameter.numel() for parameter in network.parameters()) == manifest["parameters"]


def test_sound() -> None:
    samples = speech_wave()
    mel = mel_columns(samples, 0, 161)
    assert_sampled(mel, STORED, "mel", tolerance=1e-3)
    torch.testing.assert_close(mel_columns(samples, 30, 60), mel[30:60], atol=1e-5, rtol=1e-5)
    for columns, count in STORED["aud_counts"].astype(int):
        assert frame_count(columns) == count
    seen: list[torch.Tensor] = []
    encoder = filled("audio_encoder")
    handle = encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    features = SpeechFeatures(encoder, samples)
    whole = features[:]
    handle.remove()
    assert_sampled(seen[0], STORED, "aud_windows", tolerance=1e-3)
    assert_sampled(whole, STORED, "aud_out", tolerance=1e-3)
    assert len(features) == 45
    torch.testing.assert_close(features[20:45], whole[20:45], atol=1e-4, rtol=1e-4)
    # ten columns of mel: the last one is repeated
    short = SpeechFeatures(lambda windows: windows, samples)
    short._columns, short._encoder = 10, nn.Identity()
    short._encoder.register_parameter("p", nn.Parameter(torch.zeros(1)))
    assert_close(short[0:1][0, 0, ::16], STORED["aud_window_short"], tolerance=1e-3)


def test_positions() -> None:
    assert_close(position_table(25)[0, 7, ::8], STORED["pe_row7"], tolerance=1e-6)
    assert_close(attention_bias(59, 25), STORED["bias_row59"], tolerance=1e-6)
    assert not attention_bias(24, 25).any()


def test_emotion() -> None:
    network = filled("emc")
    memory = network.audio_emo_former(AUDIO[None, :25], torch.tensor([1]))
    assert_sampled(memory, STORED, "emc_memory", tolerance=1e-5)
    window = network.window(AUDIO[None, :25], torch.tensor([1]))
    assert_close(by_point(window).mT, STORED["emc_window0"], tolerance=1e-5)
    warm = by_axis(wave((1, 5, 3, 21), 0.1, 0.5).mT)
    found = network.window(AUDIO[None, :9], torch.tensor([6]), person=2, warm=warm)
    assert_close(by_point(found).mT, STORED["emc_warm"], tolerance=1e-5)
    neutral, happy, sad = network(AUDIO, torch.tensor([0, 1, 2]))
    for name, found in (("neutral", neutral), ("happy", happy), ("sad", sad)):
        assert_close(found, STORED[f"emc_{name}"], tolerance=1e-5)
    pure = pure_emotion(network, AUDIO, ["happy", "sad"])
    assert_close(pure["happy"], STORED["emc_pure_happy"], tolerance=1e-5)
    assert_close(network(AUDIO[:45], torch.tensor([1]))[0, -3:], STORED["emc_happy_45"], tolerance=1e-5)
    alone = network(AUDIO, torch.tensor([1]), overlap=0)[0, 24:30]
    assert_close(alone, STORED["emc_happy_overlap0"], tolerance=1e-5)
    assert_close(smoothed(happy)[::4], STORED["emc_happy_smooth"], tolerance=1e-5)
    upper_face = mask((0, 1, 2, *EYE_ROWS))
    deformation = 0.5 * pure["happy"] + 0.3 * upper_face * pure["sad"] - 0.2 * LIPS * pure["happy"]
    expression = FACE.expression + expression_offset(deformation, FACE.scale)
    assert_close(expression[::5], STORED["emc_apply_exp"], tolerance=1e-5)
    assert_close(FACE._replace(expression=expression).keypoints()[::5], STORED["emc_apply_x"], tolerance=1e-5)


def test_deformation_is_the_offset_times_the_scale() -> None:
    few = FACE.rows([0, 1, 2])
    assert_close(few.keypoints(), STORED["kp_rendered"], tolerance=1e-6)
    assert_close(few.undeformed(), STORED["kp_undeformed"], tolerance=1e-6)


def test_lips() -> None:
    network, refinement = filled("lac"), filled("lip_refinement")
    style = network.style(192)
    assert_close(by_point(network.window(LIP_AUDIO[None, :25], style)).mT, STORED["lac_window0"], tolerance=1e-5)
    z, sound = by_axis(wave((1, 4, 3, 6), 0.1, 0.3).mT), wave((1, 4, 512), 0, 0.5)
    assert_close(by_point(z + refinement(z, sound)).mT, STORED["refine_out"], tolerance=1e-5)
    assert_close(LipSequence(network, LIP_AUDIO, style).rest(), STORED["lac_norefine"], tolerance=1e-5)
    at_rest = FACE.undeformed()[:, LIP_ROWS]
    lips = LipSequence(
        network, LIP_AUDIO, style, refinement=refinement, at_rest=lambda start, stop: at_rest[start:stop]
    ).rest()
    assert_close(lips, STORED["lac_raw"], tolerance=1e-5)
    lips = smoothed(lips)
    assert_close(lips, STORED["lac_smooth"], tolerance=1e-5)
    lips = articulated(0.6 * lips, {"pursing": 1.3, "opening": 0.5, "widening": 2.0})
    assert_close(lips, STORED["lac_edited"], tolerance=1e-5)
    expression = with_lips(FACE.expression, FACE.scale, lips)
    assert_close(expression[::5], STORED["lac_exp"], tolerance=1e-5)
    assert_close(FACE._replace(expression=expression).keypoints()[::5], STORED["lac_x"], tolerance=1e-5)
    pure = pure_emotion(filled("emc"), LIP_AUDIO, ["angry"])
    both = expression + expression_offset(0.5 * pure["angry"], FACE.scale)
    assert_close(both[::10], STORED["both_exp"], tolerance=1e-5)


def test_style() -> None:
    encoder = filled("style_encoder")
    face = motion(104, 0.7)
    style = speaking_style(face.rows(slice(0, 100)), encoder)
    assert_close(style, STORED["style_emb"], tolerance=1e-5)
    assert_close(encoder.cls(style), STORED["style_logits"], tolerance=1e-5)
    found = filled("lac").window(LIP_AUDIO[None, :25], style)
    assert_close(by_point(found)[0], STORED["lac_style_window0"], tolerance=1e-5)


def test_a_short_clip_of_a_style_goes_back_and_forth() -> None:
    """Its end frames count twice, as in the published code."""
    face, encoder = motion(3, 0.7), filled("style_encoder")
    bounced = ([0, 1, 2, 2, 1, 0] * 17)[:100]
    assert torch.equal(speaking_style(face, encoder), speaking_style(face.rows(bounced), encoder))


def test_a_label_alone_is_that_of_the_batch() -> None:
    together = filled("emc")(AUDIO[:27], torch.tensor([0, 3, 5]))
    alone = filled("emc")(AUDIO[:27], torch.tensor([3]))
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=1e-5)


def write(path: Path, name: str, *, wrapped: bool = True, persons: int | None = None) -> Path:
    state = state_of(name)
    if persons is not None:
        state["obj_vector.weight"] = torch.from_numpy(rng("p").standard_normal((512, persons))).float()
    state = {f"module.{key}": value for key, value in state.items()}
    torch.save({"model": state, "args": argparse.Namespace(T=25, lr=1e-4)} if wrapped else state, path)
    return path


def test_files_load_strictly(tmp_path: Path) -> None:
    network = load_emotion_network(write(tmp_path / "emc.pth", "emc", persons=3))
    assert network.obj_vector.in_features == 3 and network.period == 25
    with pytest.raises(InputError, match="knows persons 0 to 2"):
        check_person(network, 3)
    lips, refinement = load_lip_network(write(tmp_path / "lac.pth", "lac", wrapped=False))
    assert refinement is None and lips.period == 25
    state = {"model": state_of("lac"), "model_ft": state_of("lip_refinement"), "args": {"person_num": 203}}
    torch.save(state, tmp_path / "lac.pth")
    lips, refinement = load_lip_network(tmp_path / "lac.pth")
    assert refinement is not None
    style = {f"obj_vector.{key}": value for key, value in state_of("style_encoder").items()}
    torch.save({"model": style | {"vertice_map.weight": torch.zeros(1)}}, tmp_path / "style_encoder.pth")
    assert load_style_encoder(tmp_path / "style_encoder.pth").cls.out_proj.out_features == 203
    for nested in (False, True):
        state = state_of("audio_encoder")
        if nested:
            state = {"state_dict": {"module.model." + k.removeprefix("audio_encoder."): v for k, v in state.items()}}
        torch.save(state, tmp_path / "audio_encoder.pth")
        encoder = load_audio_encoder(tmp_path / "audio_encoder.pth")
        window = torch.ones(1, 1, 80, 16)
        torch.testing.assert_close(encoder(window), filled("audio_encoder")(window), atol=1e-3, rtol=1e-4)


def test_other_files_are_refused(tmp_path: Path) -> None:
    torch.save({"model": {"x": torch.zeros(1)}}, tmp_path / "emc.pth")
    with pytest.raises(WeightsError, match=r"not the PC-Talk file of that name"):
        load_emotion_network(tmp_path / "emc.pth")
    assert len(EMOTIONS) == 8
