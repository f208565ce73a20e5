"""MediaPipe's face detectors and 478-point face mesh, as plain PyTorch networks."""
