"""A Hugging Face hub on loopback, just enough of it to download files of models, and a table of what it holds."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from thfem_core.weights.model import Model, ModelFile

CONTENT = bytes(range(256)) * 5000  # 1.3 MB: more than fits into the buffers of a connection that breaks
REVISION = "a" * 40


@dataclass
class Hub:
    """files: by path ("owner/repo/resolve/REVISION/name", or any other path). What was asked of it: ``requests``, as
    "METHOD path range", with which ``tokens``. Misbehaviour: ``cut_after`` bytes it drops the connection and is
    ``down`` from then on; it ``lies``: the etag is of the file, the bytes are these."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    cut_after: int | None = None
    down: bool = False
    lies: bytes | None = None

    def model(self, name: str) -> Model:
        """One of the made-up models."""
        return next(model for model in made_up_models(self.address) if model.name == name)

    def gets(self) -> list[str]:
        return [request for request in self.requests if request.startswith("GET")]


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            path, wanted = self.path.lstrip("/"), self.headers.get("Range", "")
            hub.tokens.add(self.headers.get("Authorization"))
            hub.requests.append(f"{self.command} {path} {wanted}".strip())
            body = hub.files.get(path)
            if body is None or hub.down:
                self.send_response(503 if hub.down else 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
            sent = (hub.lies if hub.lies is not None else body)[start:]
            self.send_response(206 if wanted else 200)
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("Content-Length", str(len(sent)))
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            if with_body and hub.cut_after is not None:
                hub.down = True
                self.wfile.write(sent[: hub.cut_after])
                self.wfile.flush()
                self.close_connection = True
            elif with_body:
                self.wfile.write(sent)

        def log_message(self, format: str, *values: object) -> None:
            pass

    return Handler


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def made_up_files() -> dict[str, bytes]:
    """What the hub of the tests holds, by path."""
    return {
        f"someone/known/resolve/{REVISION}/net.pth": CONTENT,
        "someone/unknown/resolve/main/net.pth": CONTENT,
        "files/net.pth": CONTENT,
    }


def made_up_models(address: str) -> tuple[Model, ...]:
    """``known`` (size, sha256 and revision in the table), ``unknown`` (none of them), ``gone`` (not on the hub), a
    ``web`` file, and ``manual``, which people place themselves."""
    terms = {"purpose": "tests", "licence": "CC BY-NC 4.0", "commercial": False, "link": "https://example.org/page"}
    digest = hashlib.sha256(CONTENT).hexdigest()
    net = ModelFile(role="weights", names=("net.pth",))
    known = ModelFile(role="weights", names=("net.pth",), size=len(CONTENT), sha256=digest[:12])
    checkpoint = ModelFile(role="checkpoint", converted="manual.safetensors", names=("new.pth", "old.pth"))
    extra = ModelFile(role="extra", names=("extra.npy",), required=False)
    return (
        Model(name="known", origin="hub", repo="someone/known", revision=REVISION, files=(known,), **terms),
        Model(name="unknown", origin="hub", repo="someone/unknown", files=(net,), **terms),
        Model(name="gone", origin="hub", repo="someone/gone", files=(net,), **terms),
        Model(name="web", origin="web", files=(known,), **terms | {"link": f"{address}/files/net.pth"}),
        Model(name="manual", origin="manual", files=(checkpoint, extra), **terms),
    )
