"""Is a file the one that was published?"""

from __future__ import annotations

import hashlib
from pathlib import Path

from safetensors import SafetensorError, safe_open


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


def other_kind(path: Path, *, name: str) -> str | None:
    """Tell a web page, or another kind of file, from the model file that was asked for.

    Args:
        path: The file.
        name: Its published name, whose ending says what it should be.

    Returns:
        What is wrong with it, or None where it opens as what it claims to be.
    """
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        return "is empty"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return "is a web page, not a model file"
    suffix = Path(name).suffix.lower()
    if suffix == ".safetensors":
        try:
            with safe_open(path, framework="pt") as tensors:
                tensors.keys()
        except (SafetensorError, OSError, ValueError):
            return "is no safetensors file"
    if suffix in (".pth", ".pt", ".tar", ".ckpt", ".pkl") and head[:2] not in (b"PK", b"BZ", b"\x1f\x8b"):
        is_archive = head[257:262] == b"ustar"
        if head[:1] != b"\x80" and not is_archive:
            return "is no PyTorch checkpoint"
    return None
