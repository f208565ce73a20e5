"""EAT: efficient emotional adaptation for audio-driven talking heads (Gan et al., ICCV 2023), from its description.

Written anew; the networks load the published checkpoints (CC BY-NC 4.0: research only), which users bring themselves.
"""
