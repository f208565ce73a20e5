"""The embedded expression editor: geometry only, no network.

A 478-point face mesh is moved by ARKit-like action units, lips excepted where they speak; the picture follows by
a dense warp, and a brightness ratio adds the folds that the expression brings.

Unit of length in this folder unless said otherwise: 1 % of the outer-eye distance of the canonical face, x right,
y down, z negative towards the camera ("face units").
"""
