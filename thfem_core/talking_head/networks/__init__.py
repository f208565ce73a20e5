"""Blocks that the networks of several talking heads are made of, and exact ways to run them faster."""
