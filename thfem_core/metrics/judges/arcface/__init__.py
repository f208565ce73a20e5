"""ArcFace r50: the features of FAD, and the identity cosine."""
