"""PC-Talk (CVPR 2026): emotion and lips of a talking face as offsets of LivePortrait's keypoints.

Written from a description of its forward passes. Terms of its weights are unclear: users fetch them, none is shipped.
"""
