"""A HEIC picture in tiles, as phones write it (ISO/IEC 23008-12, derived images of type ``grid``)."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
from media_material import make_video


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full_box(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def coded_tile(picture: np.ndarray, folder: Path) -> tuple[bytes, bytes]:
    """A picture coded by H.265: the decoder's configuration, and the coded picture."""
    path = make_video(
        folder / "tile.mkv", pictures=[picture], codec="libx265", options={"x265-params": "log-level=none"}
    )
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packet = next(packet for packet in container.demux(stream) if packet.size)
        return bytes(stream.codec_context.extradata), bytes(packet)


def write_tiled_heic(path: Path, picture: np.ndarray, *, side: int) -> Path:
    """Write a picture whose sides are multiples of ``side`` as a grid of square tiles."""
    height, width = picture.shape[:2]
    rows, columns = height // side, width // side
    tiles = [
        coded_tile(np.ascontiguousarray(picture[y * side : (y + 1) * side, x * side : (x + 1) * side]), path.parent)
        for y in range(rows)
        for x in range(columns)
    ]
    count = len(tiles)
    whole = count + 1  # number of the grid item, after those of the tiles
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)

    def entry(number: int, kind: bytes, flags: int) -> bytes:
        return full_box(b"infe", struct.pack(">HH", number, 0), kind, b"\0", version=2, flags=flags)

    entries = [entry(number, b"hvc1", 1) for number in range(1, whole)] + [entry(whole, b"grid", 0)]
    sizes = [full_box(b"ispe", struct.pack(">II", *size)) for size in ((side, side), (width, height))]
    properties = [*(box(b"hvcC", configuration) for configuration, _ in tiles), *sizes]
    owners = [
        *(struct.pack(">HBBB", number, 2, 0x80 | number, count + 1) for number in range(1, whole)),
        struct.pack(">HBB", whole, 1, count + 2),
    ]

    def meta(first: int) -> bytes:
        places, at = [], first
        for number, (_, data) in enumerate(tiles, start=1):
            places.append(struct.pack(">HHHHII", number, 0, 0, 1, at, len(data)))
            at += len(data)
        places.append(struct.pack(">HHHHII", whole, 1, 0, 1, 0, len(grid)))  # in the box idat
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", struct.pack(">H", whole)),
            full_box(b"iloc", struct.pack(">BBH", 0x44, 0, whole), *places, version=1),
            full_box(b"iinf", struct.pack(">H", whole), *entries),
            full_box(b"iref", box(b"dimg", struct.pack(f">HH{count}H", whole, count, *range(1, whole)))),
            box(b"iprp", box(b"ipco", *properties), full_box(b"ipma", struct.pack(">I", whole), *owners)),
            box(b"idat", grid),
        )

    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    first = len(head) + len(meta(0)) + 8
    path.write_bytes(head + meta(first) + box(b"mdat", *(data for _, data in tiles)))
    return path
