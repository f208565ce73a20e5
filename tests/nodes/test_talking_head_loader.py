"""Talking Head Loader: the host's memory manager looks after the networks."""

from __future__ import annotations

import pytest
from comfy_host import REPO, run_in_host


@pytest.fixture(scope="module")
def facts(comfy_folder, tmp_path_factory):
    script = REPO / "tests" / "nodes" / "loader_facts.py"
    return run_in_host(comfy_folder, script, tmp_path_factory.mktemp("loader"))


def test_the_host_loads_frees_and_loads_again(facts):
    assert facts["loaded"] == ["Sequential"]
    assert facts["loaded_again"] == 1
    assert facts["same"]
    assert facts["asked"] == [{"memory_required": 2**20, "force_full_load": True}] * 2


def test_precision_and_folders_reach_the_back_end(facts):
    assert facts["dtype"] == "torch.bfloat16"
    assert facts["auto"] == "torch.float32", "the host of the tests has no card"
    assert facts["folders"] == ["models/thfem"]
    assert facts["compiled"] == [False, True]


def test_the_user_is_told_what_was_loaded(facts):
    assert facts["about"].startswith("heavy on cpu, 0 MB")


def test_a_head_without_networks_looks_after_itself(facts):
    assert facts["light"] == [True, True]
    assert "has no option precision" in facts["no_bf16"]


def test_the_drawing_node_takes_the_connected_one_else_the_named_one(facts):
    assert facts["embedded_by_name"] == "mouth"
    assert facts["connected_wins"]
    assert facts["others_are_loaded"] == "Heavy"


def test_missing_files_name_the_hosts_folder(facts):
    assert facts["missing"].startswith("WeightsError")
    assert "models/thfem" in facts["missing"].replace("\\", "/")
