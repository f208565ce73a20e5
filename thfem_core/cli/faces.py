"""``faces INPUT -o preview.png``: which face has which number."""

from __future__ import annotations

import argparse

from .arguments import Commands, add_device_argument, add_face_arguments, path_argument, refuse_overwriting
from .bars import progress_bars
from .libraries import load_libraries


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        "faces",
        help="show which face of a clip has which number",
        description="Write a picture of the faces of a clip with the numbers that `edit --face` takes.",
    )
    parser.add_argument("input", type=path_argument, metavar="INPUT", help="a video file")
    parser.add_argument("-o", "--output", type=path_argument, required=True, help="the picture (.png or .jpg)")
    add_face_arguments(parser)
    add_device_argument(parser)
    return parser


def run(args: argparse.Namespace) -> None:
    load_libraries()
    from ..device import resolve_device
    from ..face.preview import numbered_preview
    from ..media.open_video import open_video
    from ..pipeline import choose_faces, find_faces
    from .pictures import check_picture_path, save_picture

    check_picture_path(args.output)
    refuse_overwriting(args.output, args.input)
    video = open_video(args.input)
    with progress_bars(quiet=args.quiet) as progress:
        tracks = find_faces(video, device=resolve_device(args.device), progress=progress)
        chosen = choose_faces(tracks, args.face, args.face_order)
        picture = numbered_preview(video, tracks, order=args.face_order, chosen=chosen)
    save_picture(args.output, picture)
    if not args.quiet:
        faces, shots = len(choose_faces(tracks, "all", args.face_order)), len(tracks.cuts) + 1
        print(
            f"{args.output}: {faces} face{'s' * (faces != 1)} in {shots} shot{'s' * (shots > 1)}, {len(chosen)} chosen"
        )
