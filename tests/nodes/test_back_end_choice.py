"""The choice of a back end in a node: its options alone where the host can, its name where it cannot."""

from __future__ import annotations

import pytest
from comfy_host import REPO, run_in_host

from thfem_core.expression.editor import editors
from thfem_core.talking_head.head import talking_heads


@pytest.fixture(scope="module")
def facts(comfy_folder, tmp_path_factory):
    return run_in_host(comfy_folder, REPO / "tests" / "nodes" / "choice_facts.py", tmp_path_factory.mktemp("choice"))


def test_hosts_without_dynamic_inputs_offer_the_names(facts):
    assert facts["plain"] == ["COMBO", list(editors)]
    assert facts["dynamic"] or facts["type"] == "COMBO"


def test_hosts_with_dynamic_inputs_show_the_options_of_the_chosen_one(facts):
    if not facts["dynamic"]:
        pytest.skip("this host has no DynamicCombo")
    assert facts["type"] == "COMFY_DYNAMICCOMBO_V3"
    declared = {name: [each.name for each in editors.options(name) if each.kind != "clip"] for name in editors}
    assert facts["shown"] == declared
    assert facts["common"] == {"none": []} | {
        name: [each.name for each in talking_heads.options(name) if not each.advanced and each.kind != "clip"]
        for name in talking_heads
    }
    assert facts["required"] == [], "prompts of other hosts lack them"
    assert facts["arrives"] == {"editor": "mesh", "texture": 0.5, "spectacles": None, "folds": None}


def test_either_form_of_a_choice_is_read(facts):
    assert facts["word"] == ["sserd", {}]
    assert facts["nested"] == ["mesh", {"texture": 0.5}], "only what differs from the defaults"
    assert facts["absent"] == ["none", {}]


def test_an_unknown_name_is_refused_though_the_host_passes_over_it(facts):
    required, optional, word = facts["unknown"]
    assert required.startswith("InputError: editor is ''; choose one of: mesh, ")
    assert optional.startswith("InputError: talking_head is 'lost'; choose one of: mouth, ")
    assert word.startswith("InputError: editor is 'lost'; choose one of: mesh, ")
