"""A clip's parameters through NED's manipulator: the published windows, whole and streamed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from liveportrait_material import rng, wave
from ned_material import assert_close, filled, golden

from thfem_core.expression.ned.manipulator import ExpressionTranslator, MappingNetwork, SequenceReader
from thfem_core.expression.ned.translation import (
    TranslatedStream,
    geometric_median,
    reference_style,
    translate,
    window_weights,
    windows_of,
)


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def translator() -> ExpressionTranslator:
    return filled(ExpressionTranslator())


def test_window_weights() -> None:
    assert_close(window_weights(), golden("networks")["gauss10"][:, 0], 1e-15)


def test_a_clip_is_translated_as_published(translator: ExpressionTranslator) -> None:
    sequence, first, second = wave((25, 51), 0, 0.8), wave((1, 16), 0.1, 0.5)[0], wave((1, 16), -0.2, 0.7)[0]
    assert_close(translate(translator, sequence, [first]), golden("networks")["translate_seq"])
    assert_close(translate(translator, sequence, [first, second]), golden("pipeline")["two_styles"])


def test_styles_of_labels_and_references() -> None:
    stored, encoder, mapping = golden("pipeline"), filled(SequenceReader()), filled(MappingNetwork())
    sequence = wave((25, 51), 0, 0.8)
    assert_close(encoder(windows_of(sequence)), stored["ref_windows"])
    assert_close(reference_style(encoder, sequence), stored["ref_style"][0])
    latent = wave((1, 4), 0.2, 1)
    assert_close(torch.cat([mapping(latent, label) for label in range(7)]), stored["label_styles"])


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("gm_a", rng("ned.gm").standard_normal((23, 16))),
        ("gm_b", np.array([(0, 0), (2, 0), (-1, 1), (-1, -1), (3, 1), (-3, -1)], float)),
        ("gm_c", np.array([(0, 0), (10, 0), (-4, 1), (-3, -1), (-3, 0)], float)),
    ],
)
def test_geometric_median(name: str, points: np.ndarray) -> None:
    np.testing.assert_allclose(geometric_median(points), golden("pipeline")[name], atol=1e-9)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=st.integers(1, 30))
def test_the_stream_is_the_whole(length: int, translator: ExpressionTranslator) -> None:
    sequence, style = torch.from_numpy(rng("sequence").standard_normal((length, 51))).float(), torch.ones(16)
    stream = TranslatedStream(translator, style)
    streamed = [row for parameters in sequence for row in stream.push(parameters)]
    with torch.inference_mode():
        # batched and single windows round differently; the numbers are about 1
        torch.testing.assert_close(
            torch.stack([*streamed, *stream.finish()]), translate(translator, sequence, [style]), atol=1e-5, rtol=0
        )
