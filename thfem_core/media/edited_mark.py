"""The honest mark of synthetic media, written into the metadata of every clip this package saves."""

from __future__ import annotations

from collections.abc import Mapping

from .. import __version__

# Written by the muxer about the file itself; the source's values would be untrue of the output.
_TECHNICAL = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration", "thfem"}


_SENTENCE = "Synthetic media: facial expression edited with ComfyUI-THFEM"


def edited_mark() -> str:
    """The sentence, naming this package and its version."""
    return f"{_SENTENCE} {__version__}"


def edited_metadata(source: Mapping[str, str]) -> dict[str, str]:
    """The source's container tags plus the mark, as tag ``thfem`` and at the head of ``comment``."""
    tags = {key: value for key, value in source.items() if key.lower() not in _TECHNICAL}
    comment_key = next((key for key in tags if key.lower() == "comment"), "comment")
    earlier = tags.pop(comment_key, "")
    if earlier.startswith(_SENTENCE):  # edited before: one mark is enough
        earlier = earlier.partition(" | ")[2]
    mark = edited_mark()
    tags["comment"] = f"{mark} | {earlier}" if earlier else mark
    tags["thfem"] = mark
    return tags
