"""Judges: networks that look at finished clips only, one folder each."""
