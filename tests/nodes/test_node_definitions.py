"""What users see of the nodes: names, tooltips, translations, help pages."""

from __future__ import annotations

import json
from itertools import chain

import pytest
from comfy_host import REPO

from thfem_core.expression.editor import editors
from thfem_core.talking_head.head import talking_heads

LANGUAGES = ("en", "zh")
NEWER = {"strength_over_clip"}  # inputs that only newer hosts have
BACK_ENDS = {*editors, *talking_heads}


def inputs_of(definition: dict) -> dict[str, tuple]:
    """Input name → (type, options), required ones first."""
    return dict(chain(*(definition["input"].get(kind, {}).items() for kind in ("required", "optional"))))


def own_inputs(definition: dict) -> list[str]:
    """Inputs whose words are the node's own; those of a back end need no translation and no line in a help page."""
    names = []
    for name, (_, options) in inputs_of(definition).items():
        owners = options["tooltip"].partition(":")[0].split(", ")
        if name not in ("editor", "talking_head", "encoder") and not BACK_ENDS.issuperset(owners):
            names.append(name)
    return names


@pytest.fixture
def own_nodes(node_definitions) -> dict:
    """Nodes with words of their own; those of back ends are made from what they declare, in English."""
    return {
        name: node
        for name, node in node_definitions.items()
        if not name.startswith(("THFEM_Editor_", "THFEM_TalkingHead_"))
    }


def locale(language: str) -> dict:
    return json.loads((REPO / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))


def test_the_pack_offers_its_nodes(node_definitions):
    assert set(node_definitions) == {
        "THFEM_EditExpression",
        "THFEM_BatchEdit",
        "THFEM_LoadVideo",
        "THFEM_LoadAudio",
        "THFEM_TrackFaces",
        "THFEM_SPFEMEdit",
        "THFEM_SPFEMEditImages",
        "THFEM_ExpressionPreview",
        "THFEM_ExpressionSliders",
        "THFEM_SaveVideo",
        "THFEM_PoseEncode",
        "THFEM_AudioWindow",
        "THFEM_AdjacentFrameTalkingHead",
        "THFEM_TalkingHeadLoader",
        "THFEM_DTWAlign",
        "THFEM_Metrics",
        "THFEM_CompareVideos",
        *(f"THFEM_Editor_{name.replace('-', '_')}" for name in editors if name != "frames"),
        *(f"THFEM_TalkingHead_{name}" for name in talking_heads),
    }


def test_an_editors_node_asks_for_its_options_and_spfem_edit_does_not(node_definitions):
    asked = inputs_of(node_definitions["THFEM_Editor_ned"])
    assert asked["label_order"][1]["default"] == "ned"
    assert "label_order" not in inputs_of(node_definitions["THFEM_SPFEMEdit"])
    assert node_definitions["THFEM_Editor_ned"]["output"] == ["THFEM_EDITOR"]
    assert inputs_of(node_definitions["THFEM_SPFEMEdit"])["editor_options"][0] == "THFEM_EDITOR"


def test_every_node_input_and_output_explains_itself(node_definitions):
    for name, definition in node_definitions.items():
        assert definition["display_name"] and definition["description"], name
        assert definition["category"].split("/")[0] == "THFEM", name
        for key, (_, options) in inputs_of(definition).items():
            assert len(options.get("tooltip", "")) > 10, f"{name}.{key}"
        for key, tooltip in zip(definition["output_name"], definition["output_tooltips"], strict=True):
            assert tooltip and len(tooltip) > 10, f"{name} → {key}"


def test_search_finds_the_nodes_where_the_host_knows_aliases(node_definitions):
    aliases = [definition["search_aliases"] for definition in node_definitions.values()]
    assert all(aliases) or all(alias is None for alias in aliases)


def test_numbers_have_bounds_that_hold_their_default(node_definitions):
    for name, definition in node_definitions.items():
        for key, (kind, options) in inputs_of(definition).items():
            if kind in ("INT", "FLOAT"):
                assert options["min"] <= options["default"] <= options["max"], f"{name}.{key}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_locales_cover_every_input_and_output(own_nodes, language):
    words = locale(language)
    assert set(words) == set(own_nodes)
    for name, definition in own_nodes.items():
        entry = words[name]
        assert entry["display_name"] and entry["description"]
        assert [key for key in entry["inputs"] if key in own_inputs(definition)] == own_inputs(definition), name
        assert set(entry["inputs"]) - NEWER <= set(inputs_of(definition)), name
        assert list(entry.get("outputs", {})) == [str(i) for i in range(len(definition["output"]))], name
        for part in chain(entry["inputs"].values(), entry.get("outputs", {}).values()):
            assert part["name"] and part["tooltip"], name


def test_the_english_locale_says_what_the_nodes_say(own_nodes):
    words = locale("en")
    for name, definition in own_nodes.items():
        said = {key: inputs_of(definition)[key][1]["tooltip"] for key in own_inputs(definition)}
        translated = {key: part["tooltip"] for key, part in words[name]["inputs"].items()}
        assert {key: tooltip for key, tooltip in translated.items() if key in said or key not in NEWER} == said
        outputs = [(part["name"], part["tooltip"]) for part in words[name].get("outputs", {}).values()]
        assert outputs == list(zip(definition["output_name"], definition["output_tooltips"], strict=True))
        assert words[name]["display_name"] == definition["display_name"]
        assert words[name]["description"] == definition["description"]


def test_the_chinese_locale_is_chinese():
    for name, entry in locale("zh").items():
        for part in chain([entry["description"]], (p["tooltip"] for p in entry["inputs"].values())):
            assert any("\u4e00" <= letter <= "\u9fff" for letter in part), f"{name}: {part}"


def test_choices_have_chinese_words(own_nodes):
    words = json.loads((REPO / "locales" / "zh" / "main.json").read_text(encoding="utf-8"))["thfem"]["choices"]
    names = {*BACK_ENDS, "mesh", "fp32", "bf16", "mp4", "mov", "mkv", "mfcc", "mel"}
    for name, definition in own_nodes.items():
        for key, (kind, options) in inputs_of(definition).items():
            values = set() if kind != "COMBO" or key in ("file", "audio", "folder") else set(options["options"])
            missing = {value for value in values - names - words.keys() if not value.isdigit()}
            assert not missing, f"{name}.{key}: {missing}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_pages_name_every_node(own_nodes, language):
    pages = {page.parent.name for page in (REPO / "nodes" / "web" / "docs").glob(f"*/{language}.md")}
    assert pages == set(own_nodes)
    for name in pages:
        text = (REPO / "nodes" / "web" / "docs" / name / f"{language}.md").read_text(encoding="utf-8")
        assert text.startswith("# ") and len(text) > 100
        assert "(picture.jpg)" in text and (REPO / "nodes" / "web" / "docs" / name / "picture.jpg").is_file()


def test_english_help_mentions_every_input(own_nodes):
    for name, definition in own_nodes.items():
        text = (REPO / "nodes" / "web" / "docs" / name / "en.md").read_text(encoding="utf-8")
        missing = [key for key in own_inputs(definition) if f"**{key}**" not in text]
        assert not missing, f"{name}: {missing}"
