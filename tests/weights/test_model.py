"""What a model file is."""

from __future__ import annotations

import pytest

from thfem_core.weights.model import Model, ModelFile


def test_contradictions_are_refused():
    facts = {"name": "x", "purpose": "", "licence": None, "commercial": None, "link": "l"}
    file = ModelFile(role="weights", names=("x",))
    with pytest.raises(ValueError, match="contradict"):
        Model(origin="hub", files=(file,), **facts)
    with pytest.raises(ValueError, match="one file"):
        Model(origin="web", files=(file, file), **facts)
