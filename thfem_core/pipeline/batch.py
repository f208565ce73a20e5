"""Editing all clips of a folder, one after another, whatever happens to single ones."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..errors import InputError, ThfemError, WeightsError
from ..expression.editor import editors
from ..media.atomic import complete_file, output_error
from ..media.encoding import CONTAINERS
from ..media.source import CLIP_SUFFIXES
from ..progress import Progress, silent
from ..registry import Resources
from ..talking_head.head import talking_heads
from .config import EditConfig
from .report import EditReport, frame_runs
from .writing import edit_to_file

REPORT = "report.csv"
COLUMNS = (
    *("clip", "result", "frames", "edited", "passed_through", "lips", "in_front", "sound", "warnings"),
    *("seconds", "output", "error"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchItem:
    """What became of one clip.

    clip: The file.
    report: What was done; None where it failed or was skipped.
    error: Why it failed, in one line; empty if it did not.
    earlier: What the report says of a clip that was skipped, in the order of :data:`COLUMNS`.
    """

    clip: Path
    report: EditReport | None = None
    error: str = ""
    earlier: tuple[str, ...] = ()

    @property
    def result(self) -> str:
        """``edited``, ``nothing edited``, ``skipped`` or ``failed``."""
        if self.error:
            return "failed"
        if self.report is None:
            return "skipped"
        return "nothing edited" if self.report.nothing_edited else "edited"

    @property
    def line(self) -> str:
        """For people, in one line."""
        told = self.error or (self.report.summary if self.report is not None else "its result is there already")
        return f"{self.clip.name}: {self.result}: {told}"

    @property
    def row(self) -> tuple[str, ...]:
        """For programs, in the order of :data:`COLUMNS`."""
        report = self.report
        if self.earlier:
            return (self.clip.name, self.result, *self.earlier[2:])
        if report is None:
            return (self.clip.name, self.result, *[""] * (len(COLUMNS) - 3), self.error)
        reasons = [f"{reason}: {frame_runs(runs)}" for reason, runs in report.passed_through.items()]
        return (
            self.clip.name,
            self.result,
            str(report.frames),
            str(report.frames - report.frames_passed_through),
            "; ".join(reasons),
            "" if report.lip_frames is None else str(report.lip_frames),
            "" if report.occlusion is None else str(report.occlusion.frames),
            report.sound or "",
            "; ".join(report.warnings),
            f"{sum(report.seconds.values()):.1f}",
            "" if report.output is None else report.output.name,
            "",
        )


def clips_in(folder: str | os.PathLike[str]) -> list[Path]:
    """List the clips of a folder, by name; folders inside it and hidden files (such as macOS' ``._``) are left out.

    Raises:
        InputError: It is no folder, or there is no clip in it.
    """
    folder = Path(folder)
    try:
        files = [file for file in folder.iterdir() if not file.name.startswith(".") and file.is_file()]
    except OSError as error:
        raise InputError(f"{folder} cannot be read as a folder ({error.strerror}); give a folder of clips") from None
    clips = [file for file in files if file.suffix.lower() in CLIP_SUFFIXES]
    if not clips:
        raise InputError(f"there is no clip in {folder}; put files such as .mp4 there")
    return sorted(clips, key=lambda file: (file.name.lower(), file.name))


def edit_folder(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    config: EditConfig,
    *,
    device: torch.device,
    skip_existing: bool = False,
    folders: Sequence[Path] = (),
    progress: Progress = silent,
    tell: Callable[[BatchItem], None] = lambda item: None,
    stops: tuple[type[Exception], ...] = (),
) -> list[BatchItem]:
    """Edit every clip of a folder into another folder, and write there what happened, as :data:`REPORT`.

    A clip that fails does not stop the others. Networks are loaded once.

    Args:
        folder: The clips.
        output: Where results go; made if need be. A result is called like its clip.
        config: What to do with each clip.
        device: Where networks run.
        skip_existing: Whether to leave clips whose result is there already.
        folders: Where model files are searched before the usual folders.
        progress: Hears of model files and of every frame.
        tell: Hears of each clip when it is done.
        stops: Exceptions that end everything, such as a host's for a cancelled run.

    Returns:
        One entry per clip, in order.

    Raises:
        InputError: There is no clip, or both folders are the same one.
        OutputError: The output folder cannot be made, or the report cannot be written there.
        WeightsError: Model files are missing, which would be so for every clip.
    """
    clips, output = clips_in(folder), Path(output)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, output) from error
    if os.path.samefile(folder, output):
        raise InputError(f"the results would replace the clips in {folder}; choose another folder for them")
    config = _loaded(config, Resources(device=device, folders=tuple(folders), progress=progress))
    items: list[BatchItem] = []
    earlier = _earlier_rows(output / REPORT) if skip_existing else {}
    for clip, result in zip(clips, result_paths(clips, output), strict=True):
        if skip_existing and result.exists():
            unknown = (clip.name, "", *[""] * (len(COLUMNS) - 4), result.name, "")
            item = BatchItem(clip=clip, earlier=earlier.get(clip.name, unknown))
        else:
            item = _edited(clip, result, config, device=device, folders=folders, progress=progress, stops=stops)
        items.append(item)
        _write_report(items, output / REPORT)
        tell(item)
    return items


def report_text(items: Sequence[BatchItem]) -> str:
    """The report as CSV."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(item.row for item in items)
    return text.getvalue()


def _edited(
    clip: Path,
    result: Path,
    config: EditConfig,
    *,
    device: torch.device,
    folders: Sequence[Path],
    progress: Progress,
    stops: tuple[type[Exception], ...],
) -> BatchItem:
    try:
        report = edit_to_file(clip, result, config, device=device, folders=folders, progress=progress)
    except stops:
        raise
    except WeightsError:
        raise
    except ThfemError as error:
        return BatchItem(clip=clip, error=str(error))
    except Exception as error:  # the others shall not suffer from it
        return BatchItem(clip=clip, error=f"unexpected fault: {type(error).__name__}: {error}".splitlines()[0])
    return BatchItem(clip=clip, report=report)


def _loaded(config: EditConfig, resources: Resources) -> EditConfig:
    """The config with back ends in place of their names, but for the embedded talking head, which may be missing."""
    if isinstance(config.editor, str) and config.request is not None:
        editor = editors.create(config.editor, config.editor_options, resources)
        config = replace(config, editor=editor, editor_options={})
    if isinstance(config.talking_head, str) and config.talking_head != talking_heads.names()[0]:
        head = talking_heads.create(config.talking_head, config.talking_head_options, resources)
        config = replace(config, talking_head=head, talking_head_options={})
    return config


def result_paths(clips: Sequence[Path], output: Path) -> list[Path]:
    """Where each clip's result goes: its name, with an ending that can be written, told apart where two are alike.

    A clip whose own name can be written keeps it, whatever other clips there are: ``a.avi`` beside ``a.mp4`` gives way.
    """
    names: dict[Path, str] = {}
    taken: set[str] = set()  # without capitals, which some file systems do not tell apart
    for clip in sorted(clips, key=lambda file: file.suffix.lower() not in CONTAINERS):
        name, more = clip.name if clip.suffix.lower() in CONTAINERS else f"{clip.stem}.mp4", ""
        while name.lower() in taken:
            name, more = f"{clip.name}{more}.mp4", f"{more}_"
        names[clip] = name
        taken.add(name.lower())
    return [output / names[clip] for clip in clips]


def _earlier_rows(path: Path) -> dict[str, tuple[str, ...]]:
    """The rows of an earlier report by clip; none where there is no report of this form."""
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    except (OSError, ValueError, csv.Error):
        return {}
    if not rows or tuple(rows[0]) != COLUMNS:
        return {}
    return {row[0]: tuple(row) for row in rows[1:] if len(row) == len(COLUMNS)}


def _write_report(items: Sequence[BatchItem], path: Path) -> None:
    # with a byte order mark, so that spreadsheets read names in any script
    with complete_file(path) as temporary:
        temporary.write_text(report_text(items), encoding="utf-8-sig", newline="")
