"""LivePortrait (Guo et al., 2024): implicit 3-D keypoints of a face, and pictures drawn from moved ones.

Written from descriptions of its forward passes; the networks load the published files (MIT), which users fetch.
"""
