"""``models``: which model files there are, under which licence, where they lie; fetch, check and convert them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tqdm import tqdm

from ..progress import Progress, silent
from .arguments import Commands, path_argument

if TYPE_CHECKING:
    from ..weights.model import Model, ModelFile

ACTIONS = ("list", "fetch", "check", "convert")
_CHECKPOINTS = (".safetensors", ".pth", ".pt", ".tar", ".model")


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "models",
        help="list, fetch, check and convert model files",
        description="List model files with their licences (with names: everything known about them); fetch those that "
        "can be downloaded; check those that are here; convert official checkpoints to safetensors. They are looked "
        "for in --folder, in the folders of the environment variable THFEM_MODELS, and in the user's cache.",
    )
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="default: list")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="models; for convert: one model, then its official files"
    )
    parser.add_argument(
        "--folder", type=path_argument, action="append", default=[], help="look here first; takes downloads"
    )
    parser.add_argument(
        "--render",
        action="store_true",
        help="check: also draw the demo clip's face by the models' editor and judge it",
    )
    parser.add_argument("--device", default="auto", help="check --render: where networks run (default: auto)")
    parser.add_argument(
        "-o", "--output", type=path_argument, help="convert: the file to write (default: into the first folder)"
    )
    return parser


def run(args: argparse.Namespace) -> None:
    {"list": _list, "fetch": _fetch, "check": _check, "convert": _convert}[args.action](args)


def _chosen(names: Sequence[str]) -> tuple[Model, ...]:
    """The named models, or all if none is named."""
    from ..catalogue import all_models, find_model

    return tuple(map(find_model, names)) or tuple(all_models().values())


def _list(args: argparse.Namespace) -> None:
    from ..weights.store import find_file, model_folders

    models = _chosen(args.names)
    if args.names:
        print("\n\n".join(_details(model, args.folder) for model in models))
        return
    rows = [("NAME", "FOR", "SIZE", "LICENCE", "COMMERCIAL", "HERE")]
    for model in models:
        present = all(find_file(model, file, folders=args.folder) for file in _needed(model))
        get = {"embedded": "no: reinstall", "manual": "no: place it"}.get(model.origin, "no: fetch")
        use = {True: "yes", False: "no", None: "unclear"}[model.commercial]
        rows.append(
            (model.name, model.purpose, _size(model), model.licence or "unknown", use, "yes" if present else get)
        )
    print(_table(rows))
    print(f"\nlooked for in: {', '.join(map(str, model_folders(args.folder)))}\n`models list NAME` tells more.")


def _details(model: Model, folders: Sequence[Path]) -> str:
    """Everything known about a model, a line each."""
    from ..weights.store import find_file

    lines = [f"{model.name}: {model.purpose}", f"  {model.terms}", f"  from {model.link}"]
    if model.repo:
        lines.append(f"  Hugging Face repository {model.repo}, revision {model.revision or 'not pinned'}")
    for file in model.files:
        path = find_file(model, file, folders=folders)
        facts = [" or ".join(file.accepted)]
        facts.append(f"{file.size:,} bytes" if file.size else f"about {file.megabytes:g} MB" if file.megabytes else "")
        facts.append(f"sha256 {file.sha256}{'…' * (len(file.sha256) < 64)}" if file.sha256 else "sha256 unknown")
        facts.append("" if file.required else "optional")
        lines += [f"  {', '.join(filter(None, facts))}", f"    {path or 'not on this machine'}"]
    return "\n".join([*lines, f"  {model.note}"] if model.note else lines)


def _fetch(args: argparse.Namespace) -> None:
    from ..errors import InputError
    from ..weights.store import locate

    if not args.names:
        raise InputError("name the models to fetch; `models list` shows them")
    for model in _chosen(args.names):
        with _byte_bars(quiet=args.quiet) as progress:
            found = locate(model, folders=args.folder, progress=progress)
        if not args.quiet:
            print(*(f"{model.name}: {path}" for path in found.values()), sep="\n")


def _check(args: argparse.Namespace) -> None:
    """Every file that is here; a model that was named must be here."""
    from ..errors import WeightsError
    from ..weights.store import find_file, missing_file

    faults: list[WeightsError] = []
    for model in _chosen(args.names):
        for file in model.files:
            path = find_file(model, file, folders=args.folder)
            try:
                if path is not None:
                    verdict = _verdict(model, file, path)
                elif args.names and file.required:
                    raise missing_file(model, file, folders=args.folder)
                else:
                    continue
            except WeightsError as error:
                faults.append(error)
                verdict = "missing" if path is None else "BAD"
            if not args.quiet:
                print(f"{verdict:<9} {model.name}: {path or 'not on this machine'}")
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise WeightsError(f"{faults[0]}{more}")
    if args.render:
        _render(args)


def _render(args: argparse.Namespace) -> None:
    """Let the editors of the named models draw the demo clip's face as it is."""
    from ..device import resolve_device
    from ..errors import InputError
    from ..expression.editor import editors
    from ..pipeline.self_test import self_test
    from ..registry import Resources

    named = {model.name for model in _chosen(args.names)} if args.names else set()
    chosen = [name for name in editors if named & {model.name for model in editors.back_end(name).models}]
    if not chosen:
        raise InputError("name the models of an editor to draw with, such as: models check liveportrait --render")
    device = resolve_device(args.device)
    with _byte_bars(quiet=args.quiet) as progress:
        for name in chosen:
            editor = editors.create(name, None, Resources(device=device, folders=tuple(args.folder), progress=progress))
            print(f"{name}: {self_test(editor, device=device)}")


def _verdict(model: Model, file: ModelFile, path: Path) -> str:
    """What is known of a file that is as it should be; one that is not raises WeightsError."""
    from ..catalogue import find_converter
    from ..weights.reading import safe_load
    from ..weights.store import check_file

    check_file(model, file, path)
    if path.suffix in _CHECKPOINTS:
        safe_load(path)
    elif file.converted and path.name in file.names and (converter := find_converter(model.name)) is not None:
        converter([path])  # read as when it is converted
    known = path.name in file.names[:1]
    return "ok" if known and file.sha256 else "ok (size)" if known and file.size else "readable"


def _convert(args: argparse.Namespace) -> None:
    from ..catalogue import find_converter, find_model
    from ..errors import InputError
    from ..media.atomic import output_error
    from ..weights.convert import convert_files
    from ..weights.store import model_folders

    if len(args.names) < 2:
        raise InputError("name a model and its official files: models convert NAME FILE ... [-o OUTPUT]")
    model = find_model(args.names[0])
    converter = find_converter(model.name)
    if converter is None:
        raise InputError(f"{model.name} is used as published; there is nothing to convert")
    output = args.output
    if output is None:
        name = next(file.converted for file in model.files if file.converted)
        output = model_folders(args.folder)[0] / name
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(error, output) from error
    with _byte_bars(quiet=args.quiet) as progress:
        files = list(map(Path, args.names[1:]))
        card = convert_files(model.name, files, output, convert=converter, progress=progress)
    if not args.quiet:
        print(f"{output}\ncard: {card}\n{model.terms}")


def _needed(model: Model) -> tuple[ModelFile, ...]:
    """The files without which a model is not there: the required ones, or all where each can be done without."""
    return tuple(file for file in model.files if file.required) or model.files


def _size(model: Model) -> str:
    """Megabytes of a model, as far as they are known."""
    sizes = [file.size / 1e6 if file.size else file.megabytes for file in _needed(model)]
    total = None if None in sizes else sum(filter(None, sizes))
    return "unknown" if total is None else f"{total:.3g} MB" if total >= 0.1 else f"{1000 * total:.0f} kB"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


@contextmanager
def _byte_bars(*, quiet: bool) -> Iterator[Progress]:
    """A bar in bytes per file. Silent where stderr is not a terminal."""
    if quiet:
        yield silent
        return
    bars: dict[str, tqdm[NoReturn]] = {}

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage not in bars:
            bars[stage] = tqdm(
                desc=stage, total=total, initial=done, unit="B", unit_scale=True, disable=None, dynamic_ncols=True
            )
        bars[stage].update(done - bars[stage].n)

    try:
        yield progress
    finally:
        for bar in bars.values():
            bar.close()
