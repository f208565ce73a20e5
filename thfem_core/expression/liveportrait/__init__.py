"""LivePortrait (Guo et al., 2024) as an expression editor: implicit 3-D keypoints, edited and rendered anew.

Written from descriptions of its forward passes; the networks load the published files (MIT), which users fetch.
"""
