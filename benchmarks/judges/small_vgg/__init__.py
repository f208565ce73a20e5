"""A small VGG-like expression network, out of the PyPI package facial-emotion-recognition."""
