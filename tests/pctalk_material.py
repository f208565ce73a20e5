"""PC-Talk's files as they are published, weights made from names."""

from __future__ import annotations

from pathlib import Path

import torch
from liveportrait_material import State, filled_state, manifests

from thfem_core.networks.pctalk.decoder import position_table


def state_of(name: str) -> State:
    """The state dict of one of the published networks; the tables of positions are constants."""
    keys = manifests()[f"pctalk_{name}"]["keys"]
    tables = {key: position_table(100 if name == "style_encoder" else 25) for key in keys if key.endswith("PPE.pe")}
    return filled_state(keys, kept=tables)


def write_pctalk(folder: Path) -> Path:
    """All published files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state_of("audio_encoder"), folder / "audio_encoder.pth")
    torch.save({"model": state_of("emc")}, folder / "emc.pth")
    torch.save({"model": state_of("lac"), "model_ft": state_of("lip_refinement")}, folder / "lac.pth")
    style = {f"obj_vector.{key}": value for key, value in state_of("style_encoder").items()}
    torch.save({"model": style}, folder / "style_encoder.pth")
    return folder
