"""MediaPipe's face detectors and 478-point face mesh, as plain PyTorch networks."""

from .models import MediaPipeFaceModels, load_mediapipe

__all__ = ["MediaPipeFaceModels", "load_mediapipe"]
