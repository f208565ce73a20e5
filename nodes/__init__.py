"""ComfyUI (V3) nodes: thin adapters from the host's sockets to :mod:`thfem_core`.

Only the host imports this package, through the pack's root: its modules need the host's own packages.
"""
