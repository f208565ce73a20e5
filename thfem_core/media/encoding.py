"""Which container, codec and pixel format a clip is written with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av

from ..errors import InputError, OutputError
from .facts import MediaFacts
from .yuv.pixel_format import PixelLayout, pixel_layout

_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodingConfig:
    """codec: a libav encoder name, or "auto" (H.264; VP9 in .webm; ProRes 4444 for transparency in .mov).

    crf: constant quality, 0 (lossless) to 51 (worst). preset: x264/x265 speed; at this crf every preset is visually
    clean, slower ones make smaller files; None: x265's veryfast; x264's superfast with look-ahead, whose files are
    almost as good and as small as veryfast's in half the time. sound_bitrate: bits per second of re-encoded sound.
    """

    codec: str = "auto"
    crf: int = 18
    preset: str | None = None
    sound_bitrate: int = 192_000

    def __post_init__(self) -> None:
        if not 0 <= self.crf <= 51:
            raise InputError(f"crf is {self.crf}; give 0 (lossless) to 51 (worst), such as 18")
        if self.preset is not None and self.preset not in _PRESETS:
            raise InputError(f"preset {self.preset!r} is unknown; choose one of: {', '.join(_PRESETS)}")
        if not 6_000 <= self.sound_bitrate <= 512_000:
            raise InputError(f"sound_bitrate is {self.sound_bitrate}; give 6000 to 512000 bits per second")


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """A file type: libav's muxer, its usual encoders, and the sound codecs that players accept in it as they are.

    copied_sound empty = whatever the muxer takes.
    """

    muxer: str
    video: str
    sound: str
    copied_sound: frozenset[str] = frozenset()
    alpha_video: str | None = None


_MP4_SOUND = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})
_PCM = frozenset({"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le"})

CONTAINERS = {
    ".mp4": Container(muxer="mp4", video="libx264", sound="aac", copied_sound=_MP4_SOUND),
    ".m4v": Container(muxer="mp4", video="libx264", sound="aac", copied_sound=_MP4_SOUND),
    ".mov": Container(
        muxer="mov",
        video="libx264",
        sound="aac",
        copied_sound=frozenset({"aac", "mp3", "ac3", "eac3", "alac"}) | _PCM,
        alpha_video="prores_ks",
    ),
    ".mkv": Container(muxer="matroska", video="libx264", sound="aac"),
    ".webm": Container(
        muxer="webm",
        video="libvpx-vp9",
        sound="libopus",
        copied_sound=frozenset({"opus", "vorbis"}),
        alpha_video="libvpx-vp9",
    ),
}


def container_for(path: Path) -> Container:
    """The container that a file name's ending stands for. Raises OutputError that names the endings that work."""
    container = CONTAINERS.get(path.suffix.lower())
    if container is None:
        ending = path.suffix or "no ending"
        raise OutputError(f"cannot write {path.name}: {ending} is not a video type; use {', '.join(CONTAINERS)}")
    return container


def encoder_formats(codec: str) -> tuple[str, ...]:
    """Pixel formats of a libav encoder. Raises OutputError where this installation lacks it."""
    try:
        formats = av.Codec(codec, "w").video_formats
    except Exception as error:  # PyAV's own class for this moved between versions
        raise OutputError(f"this installation of PyAV has no encoder {codec!r}; choose another codec") from error
    return tuple(video_format.name for video_format in formats or ())


def choose_codec(container: Container, config: EncodingConfig, *, transparent: bool, deep: bool = False) -> str:
    """Choose the encoder.

    Args:
        container: the type of the file.
        config: what the user asks for.
        transparent: whether the frames have transparency.
        deep: whether their samples have more than 8 bits; players know those of H.265 only.

    Returns:
        libav's name of it.

    Raises:
        OutputError: this installation lacks it.
    """
    codec = config.codec
    if codec == "auto":
        codec = container.alpha_video if transparent and container.alpha_video else container.video
        if deep and codec == "libx264" and "libx265" in av.codecs_available:
            codec = "libx265"
    encoder_formats(codec)
    return codec


def choose_layout(formats: tuple[str, ...], source: PixelLayout | None, size: tuple[int, int]) -> PixelLayout:
    """The encoder's format nearest to the source's: transparency, then exact size, subsampling and depth.

    source None or RGB: 4:2:0 is taken. Sizes that 4:2:0 cannot hold exactly (odd ones, in H.264) become 4:4:4.
    """
    layouts = [layout for layout in map(pixel_layout, formats) if layout is not None]
    layouts = [layout for layout in layouts if not layout.name.startswith("yuvj")]
    if not layouts:
        raise OutputError("this encoder takes no planar pixel format; choose another codec")
    shift = (1, 1) if source is None or source.is_rgb or source.is_gray else source.shift
    bits = 8 if source is None else source.bits
    alpha = source is not None and source.alpha is not None

    def distance(layout: PixelLayout) -> tuple[float, ...]:
        exact = size[0] % (1 << layout.shift[0]) == 0 and size[1] % (1 << layout.shift[1]) == 0
        coarser = sum(max(0, theirs - ours) for theirs, ours in zip(layout.shift, shift, strict=True))
        finer = sum(max(0, ours - theirs) for theirs, ours in zip(layout.shift, shift, strict=True))
        # Missing depth costs quality; surplus depth costs players.
        depth = (bits - layout.bits) * 2 if layout.bits < bits else layout.bits - bits
        return (
            layout.is_rgb or layout.is_gray,
            alpha != (layout.alpha is not None),
            not exact,
            coarser,
            finer,
            depth,
        )

    return min(layouts, key=distance)


def encoder_options(codec: str, config: EncodingConfig, facts: MediaFacts | None = None) -> dict[str, str]:
    """libav options of an encoder for the wanted quality and speed, and for the source's HDR10 metadata."""
    if codec in ("libx264", "libx265"):
        display, light = (facts.mastering_display, facts.light_level) if facts is not None else ("", "")
        names = ("mastering-display", "cll") if codec == "libx264" else ("master-display", "max-cll")
        extra = [f"{name}={value}" for name, value in zip(names, (display, light), strict=True) if value]
        if codec == "libx265":
            extra.append("log-level=none")
        options = {"crf": str(config.crf), "preset": config.preset or "veryfast"}
        if config.preset is None and codec == "libx264":
            # superfast's large files come from not looking at which blocks later frames copy; this is the cheap part.
            # Few frames ahead and one B-frame at a time make files of the same size in less time and memory.
            options |= {"preset": "superfast", "mbtree": "1", "rc-lookahead": "5", "bf": "1"}
            extra.append("sync-lookahead=0")
        return {**options, f"{codec.removeprefix('lib')}-params": ":".join(extra)} if extra else options
    if codec == "libvpx-vp9":
        speed = {"crf": str(config.crf), "b": "0", "deadline": "realtime", "cpu-used": "8", "row-mt": "1"}
        return speed
    if codec == "prores_ks":
        return {"profile": "4444"}
    return {}
