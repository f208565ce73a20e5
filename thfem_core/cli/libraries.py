"""Loading the large libraries of a command, which takes seconds."""

from __future__ import annotations

import gc
import os
import sys


def load_libraries() -> None:
    """Import what an edit needs so that it runs faster; does nothing where PyTorch is loaded already.

    - The libraries make some hundred thousand objects that stay. Python's collector neither looks for garbage among
      them while they come nor goes through them ever again.
    - NumPy's linear algebra (unless the user's OPENBLAS_NUM_THREADS says otherwise) and OpenCV keep to one thread:
      beside threads that decode and draw, their own wait for each other by spinning.
    """
    if "torch" in sys.modules or not gc.isenabled():
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()
    try:
        import cv2

        from .. import pipeline as pipeline
    finally:
        gc.freeze()
        gc.enable()
    cv2.setNumThreads(1)
