"""SSERD (Xu et al., ACM MM 2024): the emotion of a reference frame, attended to in StyleGAN's latent space.

Written anew in plain PyTorch from published facts; the checkpoint is the user's own.
"""
