"""Writes workflows/ and subgraphs/ from the nodes as they are:  python tests/tools/make_workflows.py

Run it after a node's inputs changed; notes and layouts are below. Needs a host, as the tests do.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO / "tests"), str(REPO / "tests" / "tools")]

from comfy_host import find_host, run_in_host  # noqa: E402
from subgraph_blueprint import Ports, write_blueprint  # noqa: E402
from workflow_graph import Graph, plain  # noqa: E402

DEMO = "thfem_demo.mp4"
VIDEO = 330  # height of the demo clip in a node 340 wide
EDITED = VIDEO + 120  # the same, below what an edit says it did and an option or two
CORE = {
    "LoadImage": {
        "display_name": "Load Image",
        "input": {"required": {"image": ("COMBO", {"default": "thfem_portrait.jpg", "image_upload": True})}},
        "output": ["IMAGE", "MASK"],
        "output_name": ["IMAGE", "MASK"],
    }
}
"""The host's own nodes, as far as the workflows use them."""

Build = Callable[[Graph], None]


def load(graph: Graph, position: tuple[int, int], **values: Any) -> int:
    return graph.add("THFEM_LoadVideo", position, preview=VIDEO, file=DEMO, **values)


def save(
    graph: Graph, position: tuple[int, int], source: int, name: str, points: Sequence[tuple[int, int]] = ()
) -> int:
    return graph.add(
        "THFEM_SaveVideo",
        position,
        preview=VIDEO,
        links={"video": (source, 0, points)},
        filename_prefix=f"THFEM/{name}",
    )


def edit_expression(graph: Graph) -> None:
    clip = load(graph, (0, 0))
    # lower than its neighbours: the clip's link to the comparison runs above it
    edit = graph.add("THFEM_EditExpression", (400, 90), preview=EDITED, links={"video": (clip, 0)}, emotion="happy")
    compared = graph.add(
        "THFEM_CompareVideos",
        (800, 0),
        width=640,
        preview=330,
        links={"first": (clip, 0), "second": (edit, 0)},
        second_label="happy",
    )
    saved = save(graph, (1500, 0), edit, "edit_expression", [(770, 580), (1470, 580)])
    graph.note((0, 610), (340, 260), "edit_expression")
    graph.group("Your clip", "input", clip)
    graph.group("Another expression", "work", edit)
    graph.group("Result", "output", compared, saved)


def app(graph: Graph) -> None:
    clip = load(graph, (0, 0))
    edit = graph.add("THFEM_EditExpression", (400, 0), preview=EDITED, links={"video": (clip, 0)}, emotion="happy")
    saved = save(graph, (800, 0), edit, "app")
    graph.note((0, 880), (740, 150), "app")
    graph.app([(clip, "file"), (edit, "emotion"), (edit, "strength")], saved)


def live_preview(graph: Graph) -> None:
    clip = load(graph, (0, 0))
    seen = graph.add("THFEM_ExpressionPreview", (400, 90), width=460, preview=260, links={"video": (clip, 0)})
    edit = graph.add(
        "THFEM_EditExpression", (920, 0), preview=EDITED, links={"video": (clip, 0), "expression": (seen, 0)}
    )
    saved = save(graph, (1320, 0), edit, "preview")
    graph.note((0, 610), (340, 300), "live_preview")
    graph.group("Your clip", "input", clip)
    graph.group("Look: one frame at once", "help", seen)
    graph.group("Render: the whole clip", "work", edit, saved)


def verdict(graph: Graph) -> None:
    clip = load(graph, (0, 0))
    edit = graph.add("THFEM_EditExpression", (400, 0), preview=EDITED, links={"video": (clip, 0)}, emotion="happy")
    saved = save(graph, (800, 0), edit, "verdict")
    judged = graph.add(
        "THFEM_Metrics",
        (1200, 0),
        width=640,
        preview=400,
        links={"source": (clip, 0, [(370, -75), (1170, -75)]), "output": (edit, 0, [(770, 580), (1170, 580)])},
        target_emotion="happy",
    )
    graph.note((0, 640), (340, 330), "verdict")
    graph.group("Your clip", "input", clip)
    graph.group("Another expression", "work", edit)
    graph.group("Result", "output", saved)
    graph.group("Verdict", "verdict", judged)


def talk(graph: Graph) -> None:
    portrait = graph.add("LoadImage", (0, 0), preview=300)
    sound = graph.add("THFEM_LoadAudio", (0, 480), preview=60, **AUDIO)
    faces = graph.add("THFEM_TrackFaces", (400, 90), preview=240, links={"video": (portrait, 0)})
    drawn = graph.add(
        "THFEM_AdjacentFrameTalkingHead",
        (800, 0),
        preview=VIDEO,
        links={"video": (portrait, 0), "tracks": (faces, 0), "speech": (sound, 0, [(370, 560), (770, 560)])},
        drive="audio",
    )
    saved = save(graph, (1200, 0), drawn, "talk")
    graph.note((400, 630), (340, 300), "talk")
    graph.group("A portrait and a sound", "input", portrait, sound)
    graph.group("Faces", "help", faces)
    graph.group("Lips that speak", "work", drawn)
    graph.group("Result", "output", saved)


def stages(graph: Graph) -> None:
    clip = load(graph, (0, 0))
    faces = graph.add("THFEM_TrackFaces", (400, 90), preview=240, links={"video": (clip, 0)})
    sound = graph.add("THFEM_AudioWindow", (400, 620), preview=260, links={"sound": (clip, 1)})
    edit = graph.add(
        "THFEM_SPFEMEdit",
        (800, 0),
        preview=400,
        links={"video": (clip, 0), "tracks": (faces, 0)},
        emotion="happy",
    )
    poses = graph.add("THFEM_PoseEncode", (800, 1010), links={"tracks": (faces, 0, [(770, 420)])})
    drawn = graph.add(
        "THFEM_AdjacentFrameTalkingHead",
        (1200, 0),
        preview=VIDEO,
        links={
            "video": (edit, 0),
            "tracks": (faces, 0, [(768, -80), (1170, -80)]),
            "poses": (poses, 0),
            "speech": (sound, 0, [(770, 950), (1170, 950)]),
        },
    )
    saved = save(graph, (1600, 0), drawn, "stages")
    judged = graph.add(
        "THFEM_Metrics",
        (1600, 590),
        width=560,
        preview=330,
        links={"source": (clip, 0, [(370, -100), (1570, -100), (1570, 540)]), "output": (drawn, 0)},
        target_emotion="happy",
    )
    graph.note((0, 610), (340, 420), "stages")
    graph.group("Input", "input", clip)
    graph.group("Faces and sound", "help", faces, sound)
    graph.group("Stage 1: expression", "work", edit)
    graph.group("Stage 2: talking head", "work", drawn)
    graph.group("Result", "output", saved)
    graph.group("Verdict", "verdict", judged)


def compare(graph: Graph) -> None:
    clip = load(graph, (0, 0))
    edits = [
        graph.add(
            "THFEM_EditExpression",
            (400, y),
            width=280,
            preview=300,
            links={"video": (clip, 0)},
            emotion="happy",
            strength=strength,
        )
        for y, strength in ((0, 0.7), (730, 1.4))
    ]
    both = graph.add(
        "THFEM_CompareVideos",
        (740, 0),
        width=640,
        preview=280,
        links={"first": (edits[0], 0), "second": (edits[1], 0)},
        first_label="0.7",
        second_label="1.4",
    )
    trunk = [(370, -80), (710, -80), (710, 530)]
    verdicts = [
        graph.add(
            "THFEM_Metrics",
            (x, 610),
            width=560,
            preview=370,
            links={"source": (clip, 0, source), "output": (edit, 0, output)},
            target_emotion="happy",
        )
        for x, edit, source, output in (
            (740, edits[0], trunk, []),
            (1360, edits[1], [*trunk, (1330, 530)], [(710, 545), (1330, 545)]),
        )
    ]
    graph.note((0, 610), (340, 330), "compare")
    graph.group("Two edits of one clip", "work", *edits)
    graph.group("Side by side", "output", both)
    graph.group("A verdict on each", "verdict", *verdicts)


def with_editor(
    editor: str,
    *,
    emotion: str = "happy",
    reference: bool = False,
    sliders: str = "",
    properties: dict[str, Any] | None = None,
    **options: Any,
) -> Build:
    """A first stage other than the default: its node with its options, and the second stage after it."""

    def build(graph: Graph) -> None:
        clip = load(graph, (0, 0))
        faces = graph.add("THFEM_TrackFaces", (400, 90), preview=240, links={"video": (clip, 0)})
        chosen = graph.add(f"THFEM_Editor_{editor}", (400, 620), properties=properties, **options)
        links: dict[str, Any] = {"video": (clip, 0), "tracks": (faces, 0), "editor_options": (chosen, 0)}
        clips = [clip]
        if reference:
            clips.append(load(graph, (0, 610)))
            links["reference"] = (clips[1], 0, [(370, 555), (770, 555)])
        if sliders:
            chosen_sliders = graph.add("THFEM_ExpressionSliders", (0, 640), preset=sliders)
            links["sliders"] = (chosen_sliders, 0, [(370, 555), (770, 555)])
        edit = graph.add("THFEM_SPFEMEdit", (800, 0), preview=400, links=links, emotion=emotion)
        drawn = graph.add(
            "THFEM_AdjacentFrameTalkingHead",
            (1200, 0),
            preview=VIDEO,
            links={"video": (edit, 0), "tracks": (faces, 0, [(768, -80), (1170, -80)])},
        )
        saved = save(graph, (1600, 0), drawn, editor)
        graph.note((1200, 800), (740, 270), editor)
        graph.group("Clips" if reference else "Your clip", "input", *clips)
        if sliders:
            graph.group("Sliders", "help", chosen_sliders)
        graph.group("Faces", "help", faces)
        graph.group("Editor", "help", chosen)
        graph.group("Stage 1: expression", "work", edit)
        graph.group("Stage 2: talking head", "work", drawn)
        graph.group("Result", "output", saved)

    return build


def with_head(head: str, **options: Any) -> Build:
    """A second stage other than the default: its node with its options, after the default first stage."""

    def build(graph: Graph) -> None:
        clip = load(graph, (0, 0))
        faces = graph.add("THFEM_TrackFaces", (400, 90), preview=240, links={"video": (clip, 0)})
        edit = graph.add("THFEM_SPFEMEdit", (800, 0), preview=400, links={"video": (clip, 0), "tracks": (faces, 0)})
        model = graph.add(f"THFEM_TalkingHead_{head}", (800, 1000), **options)
        drawn = graph.add(
            "THFEM_AdjacentFrameTalkingHead",
            (1200, 0),
            preview=VIDEO,
            links={"video": (edit, 0), "tracks": (faces, 0, [(768, -80), (1170, -80)]), "model": (model, 0)},
            drive="audio",
            emotion="happy",
        )
        saved = save(graph, (1600, 0), drawn, head)
        graph.note((0, 610), (740, 260), head)
        graph.group("Your clip", "input", clip)
        graph.group("Faces", "help", faces)
        graph.group("Stage 1: expression", "work", edit)
        graph.group("Model", "help", model)
        graph.group("Stage 2: talking head", "work", drawn)
        graph.group("Result", "output", saved)

    return build


AUDIO = {"audio": DEMO}
LIVEPORTRAIT_FILES = [
    {
        "name": f"{part}.safetensors",
        "url": f"https://huggingface.co/Kijai/LivePortrait_safetensors/resolve/main/{part}.safetensors",
        "directory": "thfem",
    }
    for part in (
        "appearance_feature_extractor",
        "motion_extractor",
        "warping_module",
        "spade_generator",
        "stitching_retargeting_module",
    )
]
"""What the host's own dialog offers to download."""

# File names are the titles that the front end shows; it sorts them by name.
TEMPLATES: dict[str, Build] = {
    "01 Edit Expression": edit_expression,
    "02 Expression App.app": app,
    "03 Live Preview": live_preview,
    "04 Edit and Verdict": verdict,
    "05 Talking Portrait": talk,
    "06 Stage by Stage": stages,
    "07 Compare Two Edits": compare,
    "08 Between the Emotions": with_editor("valence_arousal", emotion="neutral", valence=0.5, arousal=0.6),
    "09 LivePortrait (downloads 520 MB)": with_editor(
        "liveportrait", sliders="happy", properties={"models": LIVEPORTRAIT_FILES}
    ),
    "10 EAT (bring its files)": with_head("eat"),
    "11 EAMM (bring its files)": with_head("eamm"),
    "12 NED (bring its files)": with_editor("ned"),
    "13 SSERD (bring its file)": with_editor("sserd", reference=True, emotion="neutral"),
}


def stages_blueprint(graph: Graph) -> Ports:
    faces = graph.add("THFEM_TrackFaces", (0, 0))
    edit = graph.add("THFEM_SPFEMEdit", (400, 0), links={"tracks": (faces, 0)})
    drawn = graph.add("THFEM_AdjacentFrameTalkingHead", (800, 0), links={"video": (edit, 0), "tracks": (faces, 0)})
    inputs = {"video": [(faces, "video"), (edit, "video")]} | {name: [(edit, name)] for name in ("emotion", "strength")}
    return Ports(inputs=inputs, outputs={"video": (drawn, 0)})


def verdict_blueprint(graph: Graph) -> Ports:
    edit = graph.add("THFEM_EditExpression", (0, 0))
    judged = graph.add("THFEM_Metrics", (400, 0), links={"output": (edit, 0)})
    inputs = {
        "video": [(edit, "video"), (judged, "source")],
        "emotion": [(edit, "emotion"), (judged, "target_emotion")],
        "strength": [(edit, "strength")],
    }
    return Ports(inputs=inputs, outputs={"video": (edit, 0), "table": (judged, 0)})


BLUEPRINTS = {"Edit Expression": stages_blueprint, "Edit Expression + Verdict": verdict_blueprint}


def main() -> None:
    with tempfile.TemporaryDirectory() as base:
        definitions = plain(run_in_host(find_host(), REPO / "tests" / "host_definitions.py", Path(base)))
    folder = REPO / "workflows"
    for old in [*folder.glob("*.json"), *folder.glob("api/*.json")]:
        old.unlink()
    for name, build in TEMPLATES.items():
        graph = Graph(name, {**CORE, **definitions})
        build(graph)
        graph.write(folder)
    for name, build_inside in BLUEPRINTS.items():
        inside = Graph(name, definitions)
        write_blueprint(REPO / "subgraphs" / f"{name}.json", inside, build_inside(inside))


if __name__ == "__main__":
    main()
