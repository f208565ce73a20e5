"""Show side by side what of a clip is kept: ``python -m tests.tools.carried_over`` (needs ffmpeg and ffprobe).

Two clips with every property that a clip can have beside its frames are made in .mp4, .mov and .mkv, written as an edit
writes them, and looked at by ffprobe before and after. Each property is kept, named in a warning, or missed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "media")]

from media_material import turn_container  # noqa: E402

from thfem_core.media.file_video import FileVideo  # noqa: E402
from thfem_core.media.writer import write_video  # noqa: E402

SUFFIXES = (".mp4", ".mov", ".mkv")
CHAPTERS = """;FFMETADATA1
title=A talk
artist=Somebody
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1000
title=One
[CHAPTER]
TIMEBASE=1/1000
START=1000
END=2000
title=Two
"""
HDR10 = (
    "hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited:max-cll=1000,400:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):log-level=none"
)
# what a property is called, and the words by which a warning names it
NAMED_AS = {
    "sound tracks": "sound track",
    "subtitles": "subtitles",
    "cover": "cover",
    "fields": "interlac",
    "HDR10": "HDR10",
    "timecode": "timecode",
}


def ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True)


def make_inputs(folder: Path) -> None:
    """Subtitles, chapters and a cover for the clips."""
    (folder / "subtitles.srt").write_text("1\n00:00:00,100 --> 00:00:01,900\nHello\n")
    (folder / "chapters.txt").write_text(CHAPTERS)
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x64", "-frames:v", "1", str(folder / "cover.jpg"))


def rich_clip(folder: Path, suffix: str) -> Path:
    """Ten bits and HDR10, two sound tracks of which the second is the default and 5.1, and all the rest."""
    path = folder / f"rich{suffix}"
    mkv = suffix == ".mkv"
    cover = () if mkv or suffix == ".mov" else ("-i", str(folder / "cover.jpg"))
    arguments = [
        *("-f", "lavfi", "-i", "testsrc2=s=192x128:r=25:d=2"),
        *("-f", "lavfi", "-i", "sine=f=440:d=2", "-f", "lavfi", "-i", "anoisesrc=d=2:a=0.1"),
        *("-i", str(folder / "subtitles.srt"), "-i", str(folder / "chapters.txt"), *cover),
        *("-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:s", "-map_chapters", "4", "-map_metadata", "4"),
        *(("-map", "5:v", "-c:v:1", "mjpeg", "-disposition:v:1", "attached_pic") if cover else ()),
        *("-c:v:0", "libx265", "-pix_fmt:v:0", "yuv420p10le", "-x265-params", HDR10, "-vf:v:0", "setsar=4/3"),
        *("-c:a", "aac", "-ac:a:1", "6", "-c:s", "srt" if mkv else "mov_text", "-timecode", "01:02:03:04"),
        *("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"),
        *("-disposition:a:0", "0", "-disposition:a:1", "default"),
        *("-metadata:s:a:0", "language=fra", "-metadata:s:a:1", "language=eng", "-metadata:s:s:0", "language=deu"),
        *(("-attach", str(folder / "cover.jpg"), "-metadata:s:t", "mimetype=image/jpeg") if mkv else ()),
    ]
    ffmpeg(*arguments, str(path))
    if not mkv:
        turn_container(path, 90)
    return path


def broadcast_clip(folder: Path, suffix: str) -> Path:
    """Interlaced, with the colours of hybrid log-gamma."""
    path = folder / f"broadcast{suffix}"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=192x128:r=25:d=1", "-f", "lavfi", "-i", "sine=f=440:d=1"),
        *("-c:v", "libx264", "-flags", "+ildct+ilme", "-x264opts", "tff=1", "-pix_fmt", "yuv420p", "-c:a", "aac"),
        *("-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc", str(path)),
    )
    return path


def probe(path: Path) -> dict[str, Any]:
    """All that ffprobe says of a file, by property; what is not there is left out."""

    def asked(*shown: str) -> dict[str, Any]:
        command = ["ffprobe", "-v", "error", "-of", "json", *shown, str(path)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    found = asked("-show_streams", "-show_chapters", "-show_format")
    first = asked("-select_streams", "v:0", "-show_frames", "-read_intervals", "%+#4")["frames"][0]
    streams = found["streams"]

    def of_kind(kind: str) -> list[dict[str, Any]]:
        return [stream for stream in streams if stream["codec_type"] == kind]

    def language(stream: dict[str, Any]) -> str:
        return stream.get("tags", {}).get("language", "und")

    pictures = next(stream for stream in of_kind("video") if not stream["disposition"]["attached_pic"])
    width, height = pictures["width"], pictures["height"]
    aspect = pictures.get("sample_aspect_ratio", "1:1").split(":")
    shape = (width, height, f"{aspect[0]}/{aspect[1]}")
    turned = [data for data in pictures.get("side_data_list", ()) if "rotation" in data]
    if turned and int(turned[0]["rotation"]) % 180:
        shape = (height, width, f"{aspect[1]}/{aspect[0]}")
    side = first.get("side_data_list", ())
    lights = [data for data in side if data["side_data_type"].startswith(("Mastering", "Content"))]
    attached = [
        s for s in streams if s["disposition"]["attached_pic"] or "image" in s.get("tags", {}).get("mimetype", "")
    ]
    codes = [s["tags"]["timecode"] for s in streams if "timecode" in s.get("tags", {})]
    format_tags = {key.lower(): value for key, value in found["format"].get("tags", {}).items()}
    sounds = of_kind("audio")
    return {
        "size, pixel aspect": shape,
        "pixel format": pictures["pix_fmt"],
        "colours": [pictures.get(f"color_{key}") for key in ("range", "space", "primaries", "transfer")],
        "fields": ("top first" if first["top_field_first"] else "bottom first") if first["interlaced_frame"] else None,
        "HDR10": [value for data in lights for key, value in sorted(data.items()) if key != "side_data_type"],
        "default sound": [language(s) for s in sounds if s["disposition"]["default"]],
        "sound tracks": sorted(f"{language(s)} {s.get('channel_layout', '')}" for s in sounds),
        "subtitles": [f"{language(s)} {s['codec_name']}" for s in of_kind("subtitle")],
        "chapters": [chapter["tags"]["title"] for chapter in found["chapters"]],
        "timecode": (codes or [format_tags.get("timecode")])[0],
        "cover": len(attached),
        "title, artist": [format_tags.get("title"), format_tags.get("artist")],
    }


def main() -> int:
    rows: dict[str, dict[str, str]] = {}
    missed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_inputs(folder)
        for make in (rich_clip, broadcast_clip):
            for suffix in SUFFIXES:
                source, target, warnings = make(folder, suffix), folder / f"out{suffix}", list[str]()
                video = FileVideo(source)
                write_video(video.frames(), target, like=video, warn=warnings.append)
                before, after = probe(source), probe(target)
                print(f"== {source.name}", *warnings, sep="\n   warning: ")
                for key, value in before.items():
                    named = any(NAMED_AS.get(key, key) in line for line in warnings)
                    state = "kept" if after[key] == value else "named" if named else "MISSED" if value else "kept"
                    print(f"   {key:20} {value!s:58} {after[key]!s:58} {state}")
                    missed += state == "MISSED"
                    if (make is rich_clip and key != "fields") or (
                        make is broadcast_clip and key in ("fields", "colours")
                    ):
                        label = f"{key} (HLG)" if make is broadcast_clip and key == "colours" else key
                        rows.setdefault(label, {})[suffix] = state if value else "–"
    print("\n| property |", " | ".join(SUFFIXES), "|")
    for label, states in rows.items():
        print("|", label, "|", " | ".join(states[suffix] for suffix in SUFFIXES), "|")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
