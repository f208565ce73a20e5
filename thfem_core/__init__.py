"""Speech-preserving facial expression editing: the library behind the ComfyUI-THFEM nodes.

Nothing here imports ComfyUI, and importing the package neither runs, downloads nor prints anything.
"""

__version__ = "0.1.0"
