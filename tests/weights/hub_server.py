"""A Hugging Face hub on loopback: just enough of it to download files of models."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """files: by path ("owner/repo/resolve/REVISION/name", or any other path). What it did: ``requests``, as
    "METHOD path range". Misbehaviour: ``cut_after`` bytes it drops the connection and is ``down`` from then on; it
    ``lies``: the etag is of the file, the bytes are these."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    cut_after: int | None = None
    down: bool = False
    lies: bytes | None = None

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
