"""Video and sound in and out, through PyAV, frame by frame."""
