"""dlib's face-recognition ResNet as an offline identity measure, out of two PyPI packages."""
