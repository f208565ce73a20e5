"""The 478-point face mesh: its topology, canonical shape, surface, motion basis and lips."""
