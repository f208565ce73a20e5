"""The head pose encoder ``mesh``: reads the pose off the tracked face mesh, without a network."""
