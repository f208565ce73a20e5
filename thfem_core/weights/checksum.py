"""Is a file the one that was published?"""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hexadecimal digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def fault_of(path: Path, *, size: int | None = None, sha256: str | None = None) -> str | None:
    """What is wrong with a file, as the end of a sentence, or None. size: bytes. sha256: digest or its beginning.
    Only what is given is compared."""
    found = path.stat().st_size
    if size is not None and found != size:
        return f"has {found:,} bytes instead of {size:,}"
    if sha256 is not None and not (digest := sha256_of(path)).startswith(sha256):
        return f"has the sha256 {digest[: min(len(sha256), 16)]}… instead of {sha256[:16]}…"
    return None
