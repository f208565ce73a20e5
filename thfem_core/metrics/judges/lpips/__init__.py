"""LPIPS: distance of two pictures as people see it."""
