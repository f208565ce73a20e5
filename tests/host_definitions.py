"""Runs inside a host's interpreter: prints the definitions of this pack's nodes as the host sees them, as JSON.

Arguments: the host's folder, this repository, a base folder.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

NO_HOST = 3


def load_pack(host: Path, repo: Path, base: Path) -> ModuleType:
    """Import the pack the way the host does: under a name of its own, the repository not on the path."""
    sys.argv = [sys.argv[0], "--cpu", "--base-directory", str(base)]
    sys.path[0] = str(host)  # in place of the tests' own folder
    import comfy.options

    comfy.options.enable_args_parsing()
    try:
        import comfy.model_management
        import comfy_api.latest  # noqa: F401
    except ImportError as missing:
        print(f"{missing}; install tests/host/requirements.txt", file=sys.stderr)
        sys.exit(NO_HOST)
    spec = importlib.util.spec_from_file_location(
        "thfem_pack", repo / "__init__.py", submodule_search_locations=[str(repo)]
    )
    assert spec and spec.loader
    pack = importlib.util.module_from_spec(spec)
    sys.modules["thfem_pack"] = pack
    spec.loader.exec_module(pack)
    return pack


def definitions(pack: ModuleType) -> dict[str, dict]:
    async def nodes() -> list[type]:
        extension = await pack.comfy_entrypoint()
        return await extension.get_node_list()

    found = {}
    for node in asyncio.run(nodes()):
        info = node.GET_NODE_INFO_V1()
        schema = node.define_schema()
        known = {field.name for field in dataclasses.fields(schema)}
        aliases = list(schema.search_aliases) if "search_aliases" in known else None
        found[info["name"]] = {**info, "search_aliases": aliases}
    return found


if __name__ == "__main__":
    host, repo, base = map(Path, sys.argv[1:4])
    print(json.dumps(definitions(load_pack(host, repo, base))))
