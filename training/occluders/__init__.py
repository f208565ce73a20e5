"""Things that pass in front of a face, drawn by rule: what the occlusion network learns from."""
