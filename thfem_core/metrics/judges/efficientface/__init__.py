"""EfficientFace: the expression features of CSIM, and seven emotions."""
