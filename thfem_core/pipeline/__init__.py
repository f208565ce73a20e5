"""The one way from a clip to the edited clip: find faces, edit the expression, draw the lips, write."""

from .config import EditConfig
from .edit import Edit, edit
from .faces import choose_faces, faces_of_host, find_faces
from .report import EditReport
from .still import StillVideo, open_speaker, read_speech
from .writing import edit_to_file

__all__ = [
    "Edit",
    "EditConfig",
    "EditReport",
    "StillVideo",
    "choose_faces",
    "edit",
    "edit_to_file",
    "faces_of_host",
    "find_faces",
    "open_speaker",
    "read_speech",
]
