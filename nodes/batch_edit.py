"""Batch Edit: all clips of a folder, one after another, with a table of what happened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import comfy.model_management
import folder_paths
from comfy_api.latest import io, ui

from ..thfem_core.errors import InputError
from ..thfem_core.media.source import CLIP_SUFFIXES
from ..thfem_core.pipeline import EditConfig
from ..thfem_core.pipeline.batch import REPORT, edit_folder, report_text
from .edit_run import log_report
from .expression_inputs import emotion_inputs, expression_input, expression_request, face_choice, face_input
from .host import CATEGORY, HostProgress, model_folders, schema, work_device
from .notices import notify
from .save import output_place
from .talking_head_loader import drawing_head
from .talking_inputs import NONE, talking_head_choice

HERE = "."  # the input folder itself
_DEPTH = 3  # folders inside folders that are offered


def clip_folders() -> list[str]:
    """Folders with clips in the host's input folder, and that folder itself."""
    root = Path(folder_paths.get_input_directory())
    found = [HERE]
    for folder, inside, files in os.walk(root):
        place = Path(folder).relative_to(root)
        if len(place.parts) >= _DEPTH:
            inside.clear()
        if place.parts and any(Path(file).suffix.lower() in CLIP_SUFFIXES for file in files):
            found.append(place.as_posix())
    return sorted(found)


_HEAD = talking_head_choice(none=True, default=NONE)


class BatchEdit(io.ComfyNode):
    """THFEM_BatchEdit: a clip that fails does not stop the others."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return schema(
            node_id="THFEM_BatchEdit",
            display_name="Batch Edit (THFEM)",
            category=CATEGORY,
            description="Edit every clip of a folder. A clip that fails does not stop the others; report.csv says what "
            "happened to each.",
            search_aliases=["batch", "folder", "directory", "many videos", "queue"],
            inputs=[
                io.Combo.Input(
                    "folder",
                    options=clip_folders(),
                    default=HERE,
                    tooltip="A folder with clips inside the input folder of ComfyUI; . is that folder itself.",
                ),
                io.String.Input(
                    "output_folder",
                    default="THFEM/batch",
                    tooltip="Where the results go, inside the output folder of ComfyUI; each is called like its clip.",
                ),
                *emotion_inputs(),
                face_input(),
                io.Boolean.Input(
                    "skip_existing",
                    default=False,
                    tooltip="Leave clips whose result is in output_folder already.",
                ),
                _HEAD.input(),
                expression_input(),
            ],
            outputs=[
                io.String.Output(display_name="table", tooltip="What happened to each clip, as CSV."),
                io.Int.Output(display_name="edited", tooltip="Number of clips that were edited."),
                io.Int.Output(display_name="failed", tooltip="Number of clips that could not be edited."),
            ],
            is_output_node=True,
            hidden=[io.Hidden.unique_id, io.Hidden.prompt],
        )

    @classmethod
    def fingerprint_inputs(cls, folder: str, **inputs: Any) -> list[tuple[str, int, int]]:
        # the folder may hold other clips now
        clips = Path(folder_paths.get_input_directory(), folder).glob("*")
        return sorted((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in clips if file.is_file())

    @classmethod
    def execute(
        cls,
        folder: str,
        output_folder: str,
        emotion: str,
        strength: float,
        face: str,
        skip_existing: bool,
        **inputs: Any,
    ) -> io.NodeOutput:
        root = Path(folder_paths.get_input_directory()).resolve()
        clips = (root / folder).resolve()
        if not clips.is_relative_to(root):
            raise InputError(f"folder {folder!r} leaves the input folder; choose one inside it")
        results, *_ = output_place(f"{output_folder.strip() or 'THFEM/batch'}/x", 0, 0)
        name, options = _HEAD.chosen(cls, inputs)
        head, device = ({"talking_head": None}, work_device()) if name == NONE else drawing_head(name, options)
        items = edit_folder(
            clips,
            results,
            EditConfig(
                request=expression_request(emotion=emotion, strength=strength, expression=inputs.get("expression")),
                face=face_choice(face),
                **head,
            ),
            device=device or work_device(),
            skip_existing=skip_existing,
            folders=model_folders(),
            progress=HostProgress(stages=2),
            tell=log_report,
            stops=_stops(),
        )
        failed = [item for item in items if item.error]
        edited = sum(item.result == "edited" for item in items)
        text = f"{edited} of {len(items)} clips edited, {len(failed)} failed; {results}{os.sep}{REPORT}"
        if failed:
            notify("warn", f"{len(failed)} of {len(items)} clips failed", "\n".join(item.line for item in failed[:5]))
        lines = [text, *(item.line for item in items if item.result != "edited")]
        return io.NodeOutput(report_text(items), edited, len(failed), ui=ui.PreviewText("\n".join(lines)[:600]))


def _stops() -> tuple[type[Exception], ...]:
    """What the host raises to cancel a run, where that is an Exception; elsewhere it stops everything by itself."""
    cancelled = comfy.model_management.InterruptProcessingException
    return (cancelled,) if issubclass(cancelled, Exception) else ()
