"""The protocol by which the paper's group measures: other networks, crops, frame rates and pairings than ours.

Its FAD, CSIM and LSE-D compare with published tables only, never with this package's own measures of the same name.
"""
