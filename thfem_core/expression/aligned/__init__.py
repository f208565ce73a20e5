"""Faces as NED and SSERD see them: a square crop, aligned to a template of 68 landmarks, and the way back.

NED's own detector (MTCNN) and 68-point network are replaced by this package's face mesh: its boxes are the detector's
within 5 % of a face, its 68 points those of the template within 3 to 5 of 256 pixels.
"""
