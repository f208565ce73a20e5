"""Head pose encoders: how a head is turned, where and how large, in every frame (Eq. 2 of the paper)."""
