"""The one way from a clip to the edited clip: find faces, edit the expression, draw the lips, write."""

from .config import EditConfig
from .edit import edit
from .faces import choose_faces, faces_of_host, find_faces, kept_faces
from .occlusion import Occlusion, occlusion_masks
from .prepared_edit import PreparedEdit
from .report import EditReport
from .still import StillVideo, open_speaker, read_speech
from .writing import edit_to_file

__all__ = [
    "EditConfig",
    "EditReport",
    "Occlusion",
    "PreparedEdit",
    "StillVideo",
    "choose_faces",
    "edit",
    "edit_to_file",
    "faces_of_host",
    "find_faces",
    "kept_faces",
    "occlusion_masks",
    "open_speaker",
    "read_speech",
]
