"""Planar YUV and GBR frames: samples, formats, colour matrices, and their way to an encoder."""
