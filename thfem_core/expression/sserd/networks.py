"""SSERD's four networks as one, and reading its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ...errors import WeightsError
from ...weights.reading import load_strict, safe_load
from .attention import CrossAttention, EmotionTransformer
from .back_end import Noise
from .encoder import Encoder
from .generator import CODES, Generator
from .modulated import LATENT

SIDE = 256  # pixels of a source or reference picture


class Sserd(nn.Module):
    """Give a source face the emotion of a reference face."""

    def __init__(self, *, attention: bool = True, picture: bool = True) -> None:
        """Build the networks.

        Args:
            attention: Whether the fusions mask by emotion.
            picture: Whether the fusions merge the picture too.
        """
        super().__init__()
        self.encoder = Encoder(attention=attention, picture=picture)
        self.decoder = Generator()
        self.cross_attention = CrossAttention()
        self.transformer = EmotionTransformer()
        self.register_buffer("latent_avg", torch.zeros(CODES, LATENT), persistent=False)

    def emotion(self, source_codes: Tensor, reference_codes: Tensor) -> Tensor:
        """Emotion codes (B, 18, 512) for source codes with, and reference codes without the average."""
        codes: Tensor = self.transformer(self.cross_attention(source_codes, reference_codes))
        return codes

    def edited(
        self,
        source: Tensor,
        reference_codes: Tensor | None,
        *,
        strength: float = 1.0,
        noise: Noise = "none",
        random: torch.Generator | None = None,
    ) -> Tensor:
        """Draw source faces with the emotion of reference faces.

        Args:
            source: Faces (B, 3, 256, 256) in -1..1.
            reference_codes: What the encoder reads from the reference (B, 18, 512), without the average; None to
                reconstruct the source.
            strength: Factor on the change of the latent codes; 1 as published.
            noise: See :class:`.generator.Generator`; without any, a video does not flicker.
            random: Source of random noise, on the CPU.

        Returns:
            Pictures (B, 3, 1024, 1024), about -1..1.
        """
        read = self.encoder(source)
        codes = read.codes + self.latent_avg
        edit = None if reference_codes is None else self.emotion(codes, reference_codes)
        latent = codes if edit is None else codes + strength * edit
        picture: Tensor = self.decoder(
            latent, read.features, read.skips, list(self.encoder.fusion), edit=edit, noise=noise, random=random
        )
        return picture


def load_sserd(path: Path) -> Sserd:
    """Read SSERD's checkpoint, whichever of its four variants it is.

    Args:
        path: The published file: a dictionary with ``state_dict`` and ``latent_avg``.

    Returns:
        The networks, for inference on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, or of another architecture.
    """
    loaded = safe_load(path)
    state, average = loaded.get("state_dict"), loaded.get("latent_avg")
    if not isinstance(state, Mapping) or not isinstance(average, Tensor):
        raise WeightsError(f"{path} holds no SSERD checkpoint (state_dict and latent_avg); get it from its authors")
    with torch.device("meta"):
        network = Sserd(
            attention="encoder.fusion.0.conv.weight" in state, picture="encoder.fusion.0.fusion_skip.weight" in state
        )
    load_strict(network, state, what=f"SSERD ({path})", assign=True)
    network.latent_avg = average.expand(CODES, LATENT).clone()
    return network.eval().requires_grad_(False)
