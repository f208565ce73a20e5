"""ComfyUI-THFEM: speech-preserving facial expression editing as ComfyUI nodes.

The host asks for the nodes through :func:`comfy_entrypoint`. Everything is imported inside it, so that importing
this file (test collectors and packagers do) needs no host and does nothing.
"""

from __future__ import annotations

WEB_DIRECTORY = "./nodes/web"


async def comfy_entrypoint() -> object:
    """The host's extension object of this pack."""
    from .nodes.extension import ThfemExtension

    return ThfemExtension()


__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
