"""ComfyUI's front end in a headless Chromium: open a workflow, move a widget, run, and read what the page shows."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from comfy_host import ComfyServer

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
READY = "window.app?.vueAppReady && document.querySelector('canvas')"
RECORD_EVENTS = """() => {
  window.recorded = [];
  const kinds = ['execution_start', 'execution_success', 'execution_error', 'execution_interrupted', 'executed',
                 'progress_state', 'thfem.notice'];
  for (const kind of kinds)
    window.app.api.addEventListener(kind, (event) => window.recorded.push({ kind, at: Date.now(), ...event.detail }));
}"""
ENDED = "['execution_success', 'execution_error', 'execution_interrupted']"
SET_WIDGET = """([id, name, value]) => {
  const node = window.app.graph.getNodeById(id);
  const widget = node.widgets.find((each) => each.name === name);
  widget.value = value;
  widget.callback?.(value, window.app.canvas, node);
}"""
SHOWN_TEXT = """() => [document.body.innerText,
  ...[...document.querySelectorAll('textarea, input')].map((each) => each.value)].join('\\n')"""


class NoBrowser(Exception):
    """There is no browser to test with, and why."""


def find_browser() -> str:
    """Path of a Chromium or Chrome: THFEM_BROWSER, or the first on the search path. Raises NoBrowser."""
    chosen = os.environ.get("THFEM_BROWSER")
    found = next(filter(None, map(shutil.which, [chosen] if chosen else BROWSERS)), None)
    if found is None:
        raise NoBrowser(
            f"no browser called {chosen or ', '.join(BROWSERS)}; run bash tests/ui/install_browser.sh, or set "
            "THFEM_BROWSER to a Chromium"
        )
    return found


@contextmanager
def open_front_end(server: ComfyServer, *, nodes_2: bool, language: str = "en") -> Iterator[FrontEnd]:
    """The front end of a running host, in a browser of its own.

    Args:
        server: The host.
        nodes_2: Draw nodes as Vue components ("Nodes 2.0") instead of on the classic canvas.
        language: Of the interface.

    Raises:
        NoBrowser: Playwright is not installed, or no browser is found or starts.
    """
    try:
        from playwright.sync_api import Error as PlaywrightError
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowser("the Python package playwright is not installed; pip install playwright") from None
    browser_path = find_browser()
    settings = {
        "Comfy.TutorialCompleted": True,  # else the template dialog covers the canvas
        "Comfy.VueNodes.Enabled": nodes_2,
        "Comfy.Locale": language,
        "Comfy.Workflow.Persist": False,
    }
    server.raw("/settings", settings)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        except PlaywrightError as error:
            raise NoBrowser(f"{browser_path} does not start: {str(error).splitlines()[0]}") from error
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(120_000)  # tests share the machine
        front_end = FrontEnd(page, server)
        front_end.load()
        yield front_end
        browser.close()


class FrontEnd:
    """A page of the front end. ``faults`` are the uncaught errors of its scripts, so far."""

    def __init__(self, page: Any, server: ComfyServer) -> None:
        self.page = page
        self._server = server
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    def load(self) -> None:
        """Load the page, anew if it was loaded before."""
        self.page.goto(f"http://{self._server.address}", wait_until="domcontentloaded")
        self.page.wait_for_function(READY, timeout=300_000)
        self.page.wait_for_timeout(1000)  # the front end opens its own first workflow
        self.evaluate(RECORD_EVENTS)

    def open(self, workflow: Path | dict[str, Any]) -> None:
        """Open a workflow as if a user had chosen it."""
        graph = json.loads(workflow.read_text(encoding="utf-8")) if isinstance(workflow, Path) else workflow
        self.page.evaluate("(graph) => window.app.loadGraphData(graph)", graph)
        self.page.wait_for_timeout(500)  # widgets and sizes settle in a few drawn frames

    def evaluate(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def nodes(self, type_: str) -> list[int]:
        """Ids of the nodes of a type."""
        return self.evaluate(
            "(type) => window.app.graph._nodes.filter((each) => each.type === type).map((each) => each.id)", type_
        )

    def set_widget(self, node: int, name: str, value: Any) -> None:
        self.evaluate(SET_WIDGET, [node, name, value])

    def start(self) -> None:
        """Press Run."""
        self.evaluate("() => { window.recorded.length = 0; window.app.queuePrompt(0, 1); }")

    def run(self, *, timeout: float = 300) -> str:
        """Press Run and wait until the run has ended; ``success``, ``error`` or ``interrupted``."""
        self.start()
        return self.wait_for_end(timeout=timeout)

    def wait_for_end(self, *, timeout: float = 300) -> str:
        ended = f"() => window.recorded.find((each) => {ENDED}.includes(each.kind))"
        event = self.page.wait_for_function(ended, timeout=1000 * timeout).json_value()
        return event["kind"].removeprefix("execution_")

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Events of a kind since the last start, in order."""
        return self.evaluate("(kind) => window.recorded.filter((each) => each.kind === kind)", kind)

    def text(self) -> str:
        """All text that the page shows outside of its canvas: notes, toasts, and what nodes say in text fields."""
        return self.evaluate(SHOWN_TEXT)

    def wait_for_text(self, words: str, *, timeout: float = 60) -> None:
        """Raises AssertionError with all text where the words do not appear in time."""
        self.wait_until(
            lambda: words in self.text(), timeout=timeout, otherwise=lambda: f"no {words!r} in: {self.text()}"
        )

    def wait_until(self, holds: Callable[[], bool], *, timeout: float, otherwise: Callable[[], str]) -> None:
        deadline = time.monotonic() + timeout
        while not holds():
            assert time.monotonic() < deadline, otherwise()
            self.page.wait_for_timeout(100)

    def dismiss(self, button: str) -> None:
        """Press a button if it is there."""
        found = self.page.get_by_text(button, exact=True)
        if found.count():
            found.first.click()

    def picture(self, shown: dict[str, str]) -> np.ndarray:
        """A picture that a node showed, (H, W, 3) uint8 in the order of OpenCV."""
        with TemporaryDirectory() as folder:
            return cv2.imread(str(self._server.fetch(shown, Path(folder))))

    def shown_media(self) -> list[str]:
        """Addresses of the pictures and videos that nodes show."""
        return self.evaluate(
            "() => [...document.querySelectorAll('video, video source, img')].map((each) => each.src)"
            ".concat(window.app.graph._nodes.flatMap((each) => (each.imgs ?? []).map((image) => image.src)))"
            ".filter((address) => address.includes('/view?'))"
        )
