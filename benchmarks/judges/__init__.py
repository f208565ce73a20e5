"""Judges: networks that look at finished frames only. Independent of every editor and never part of the runtime."""
