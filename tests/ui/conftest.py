"""One host and one browser page for all tests of the front end.

By hand on another host, and with nodes as Vue components ("Nodes 2.0")::

    COMFYUI_DIR=/path/to/ComfyUI THFEM_NODES_2=1 bash tests/run.sh -q -s tests/ui
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from comfy_host import ComfyServer
from front_end import FrontEnd, NoBrowser, open_front_end


@pytest.fixture(scope="module")
def front_end(comfy: ComfyServer) -> Iterator[FrontEnd]:
    """A page that shows the host's front end; closed before another module's tests, which have event loops too."""
    try:
        with open_front_end(comfy, nodes_2=os.environ.get("THFEM_NODES_2") == "1") as opened:
            yield opened
    except NoBrowser as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def clip_without_face(comfy: ComfyServer) -> str:
    """One second of a moving gradient in the host's input folder, by name."""
    import av
    import numpy as np

    with av.open(str(comfy.base / "input" / "faceless.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        ramp = np.add.outer(np.arange(96), np.arange(160))
        for number in range(25):
            grey = ((ramp + 3 * number) % 256).astype(np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.dstack([grey] * 3), format="rgb24")))
        file.mux(stream.encode(None))
    return "faceless.mp4"


@pytest.fixture(autouse=True)
def picture_of_a_failure(request: pytest.FixtureRequest, front_end: FrontEnd) -> Iterator[None]:
    """What the page showed when a test failed, in ``.cache/ui``."""
    front_end.faults.clear()
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        folder = Path(__file__).resolve().parents[2] / ".cache" / "ui"
        folder.mkdir(parents=True, exist_ok=True)
        front_end.page.screenshot(path=str(folder / f"{request.node.name}.png"))
