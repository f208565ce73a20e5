"""Blocks that several talking heads and expression editors are made of, and exact ways to run them faster."""
