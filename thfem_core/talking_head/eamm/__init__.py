"""EAMM: one-shot emotional talking face by an audio-based emotion-aware motion model (Ji et al., SIGGRAPH 2022).

Written anew from its description; the networks load the published checkpoints, which users bring themselves.
"""
