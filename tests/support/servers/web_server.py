"""A web server on a thread of its own, for callers of any kind: synchronous code, child processes, services."""

import email
import email.policy
import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """A request as it came; `query` and `path` are split, header names are lower-case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def parts(self) -> dict[str, tuple[str, bytes]]:
        """The parts of a multipart body: (file name or "", content) by the field's name."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + self.body, policy=email.policy.HTTP)
        found = {}
        for part in message.iter_parts():  # type: ignore[attr-defined]
            content = part.get_payload(decode=True)
            found[part.get_param("name", header="content-disposition")] = (part.get_filename() or "", content)
        return found


@dataclass(frozen=True)
class Reply:
    """What is answered: a whole body, or pieces of one without a length. `abort` closes the connection instead."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    delay_s: float = 0.0
    abort: bool = False


def json_reply(document: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON document; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"Content-Type": "application/json", **named}, json.dumps(document).encode())


class WebServer:
    """Serves `answer(request)` on a free port of 127.0.0.1 between `start` and `stop`, and keeps the requests."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.requests: list[Request] = []
        self.ending = threading.Event()
        self._answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner._serve(self)

            do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True  # the client went away in the middle

        return Handler

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        target = urlsplit(handler.path)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = _chunked(handler) if headers.get("transfer-encoding") == "chunked" else handler.rfile.read(length)
        request = Request(handler.command, target.path, target.query, headers, body)
        self.requests.append(request)
        reply = self._answer(request)
        self.ending.wait(reply.delay_s)
        if reply.abort:
            handler.close_connection = True
            return
        _write(handler, reply)


def _chunked(handler: BaseHTTPRequestHandler) -> bytes:
    body = b""
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


def _write(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    if isinstance(reply.body, bytes):
        if "Content-Length" not in reply.headers:
            handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)
        handler.close_connection = "Content-Length" in reply.headers
        return
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    for piece in reply.body:
        handler.wfile.write(piece)
