"""All that an edit of a clip needs to know, besides the clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError
from ..expression.editor import ExpressionEditor, editors
from ..expression.request import Emotion, ExpressionRequest
from ..face.tracking.track import FaceChoice, FaceOrder
from ..media.encoding import EncodingConfig
from ..options import make_options
from ..registry import Registry
from ..talking_head.head import Drive, TalkingHead, check_drive, talking_heads
from ..talking_head.windows import WindowConfig
from .licence import LICENCES, Licence
from .occlusion import Occlusion, check_occlusion


@dataclass(frozen=True, kw_only=True, slots=True)
class EditConfig:
    """What to do with a clip; names, options and ranges are checked when it is made.

    request: The expression to give; None leaves it as it is, so that only lips are drawn.
    editor: Name of an expression editor, or one that is loaded.
    editor_options: Options of the named editor that differ from their defaults.
    face: Whom to edit: ``largest``, ``all``, or the number of a face.
    face_order: How faces are numbered.
    talking_head: Name of the talking head that draws the lips after the edit, or one that is loaded; None leaves the
        lips to the editor.
    talking_head_options: Options of the named talking head that differ from their defaults.
    drive: What moves the lips.
    window: Which frames are drawn from which source frame.
    shown_emotion: What the edited faces show, for talking heads that draw by it; None takes it from ``request``.
    occlusion: What is in front of faces and stays so: ``auto`` as the embedded network sees it, ``off`` for nothing, or
        a mask clip or picture, white where something is in front.
    licence: ``commercial`` uses only parts whose licence allows commercial use, and says what it leaves out; ``any``
        uses the best there are.
    encoding: How :func:`.writing.edit_to_file` encodes.
    """

    request: ExpressionRequest | None = None
    editor: str | ExpressionEditor = editors.names()[0]
    editor_options: Mapping[str, Any] = field(default_factory=dict)
    face: FaceChoice = "largest"
    face_order: FaceOrder = "left-right"
    talking_head: str | TalkingHead | None = talking_heads.names()[0]
    talking_head_options: Mapping[str, Any] = field(default_factory=dict)
    drive: Drive = "blend"
    window: WindowConfig = field(default_factory=WindowConfig)
    shown_emotion: Emotion | None = None
    occlusion: Occlusion = "auto"
    licence: Licence = "any"
    encoding: EncodingConfig = field(default_factory=EncodingConfig)

    def __post_init__(self) -> None:
        check_drive(self.drive)
        check_occlusion(self.occlusion)
        if self.licence not in LICENCES:
            raise InputError(f"licence is {self.licence!r}; give one of: {', '.join(LICENCES)}")
        _check_back_end(editors, self.editor, self.editor_options)
        _check_back_end(talking_heads, self.talking_head, self.talking_head_options)


def _check_back_end(registry: Registry[Any], chosen: object, options: Mapping[str, Any]) -> None:
    """Check name and options of a back end, without loading it.

    Raises:
        InputError: The name or an option is unknown, or a value is not allowed.
        ValueError: There are options for a back end that is loaded already.
    """
    if isinstance(chosen, str):
        make_options(registry.back_end(chosen).options, options, back_end=f"{registry.kind} {chosen}")
    elif options:
        raise ValueError(f"options are for a {registry.kind} given by name; this one is loaded, or None")
