"""Following every face of a clip: shots, people, smoothing, landmarks of the whole clip."""
