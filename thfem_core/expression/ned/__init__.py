"""NED (Papantoniou et al., CVPR 2022) and its variants SCMCL, CDRL, ASCCL and STCCL, which share its networks.

A face is read as parameters of a 3-D model (DECA, FLAME), the parameters are translated to another emotion, and a
renderer trained on the person draws the face from condition pictures of the translated model. Written anew from
published facts; checkpoints, FLAME and DECA files are the user's own.
"""
