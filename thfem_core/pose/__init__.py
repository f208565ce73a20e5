"""Head pose encoders E_p: how a head is turned, where and how large, in every frame (paper, Eq. 5)."""
