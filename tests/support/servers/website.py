"""A local web site: pages, files, redirects, and faulty answers."""

import gzip
import threading
from collections.abc import Callable, Iterator

from tests.support.servers.web_server import Reply, Request, WebServer
from tests.support.waiting import PATIENCE_S

PAGE = """<!doctype html>
<html lang="en"><head><title>{title}</title></head><body>
<nav><a href="/">Home</a> <a href="/imprint">Imprint</a></nav>
<main><article><h1>{title}</h1>{body}</article></main>
<footer>Cookies and small print</footer></body></html>"""


class Held:
    """A reply that is withheld until the test releases it; a job that asks for `url` runs for so long."""

    def __init__(self, url: str, reply: Reply) -> None:
        self.url = url
        self._reply = reply
        self._released = threading.Event()

    def release(self) -> None:
        self._released.set()

    def answer(self, _: Request) -> Reply:
        self._released.wait(PATIENCE_S)
        return self._reply


class Website:
    """Serves what it is given, by path; anything else is 404. A context manager; usable from any thread."""

    def __init__(self) -> None:
        self._replies: dict[str, Callable[[Request], Reply]] = {}
        self._server = WebServer(self._answer)

    def __enter__(self) -> "Website":
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self._server.port}{path}"

    def requests(self, path: str) -> list[Request]:
        return [request for request in self._server.requests if request.path == path]

    def reply(self, path: str, reply: Reply) -> str:
        """Answer `reply` under a path; return its URL."""
        self._replies[path] = lambda _: reply
        return self.url(path)

    def page(self, path: str, title: str, *paragraphs: str) -> str:
        """A page with a menu and a footer around an article."""
        body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
        return self.html(path, PAGE.format(title=title, body=body))

    def html(self, path: str, content: str) -> str:
        return self.file(path, content.encode(), "text/html; charset=utf-8")

    def file(self, path: str, content: bytes, media_type: str, **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.reply(path, Reply(200, {"Content-Type": media_type, **named}, content))

    def status(self, path: str, status: int, **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.reply(path, Reply(status, named, b"no"))

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        return self.reply(path, Reply(status, {"Location": to}))

    def slow(self, path: str, delay_s: float) -> str:
        """Answers only after a while."""
        return self.reply(path, Reply(200, {"Content-Type": "text/plain"}, b"late", delay_s=delay_s))

    def held(self, path: str, content: bytes, media_type: str) -> Held:
        """A file that is sent only after its release."""
        held = Held(self.url(path), Reply(200, {"Content-Type": media_type}, content))
        self._replies[path] = held.answer
        return held

    def drip(self, path: str) -> str:
        """Answers at once, and then a byte at a time without end."""
        return self._pieces(path, self._drops)

    def endless(self, path: str, size: int = 1024**3) -> str:
        """A body of `size` bytes without a Content-Length, as fast as it is read."""
        return self._pieces(path, lambda: (b"." * 65536 for _ in range(size // 65536)))

    def announced(self, path: str, size: int) -> str:
        """Announces `size` bytes and sends none."""
        return self.reply(path, Reply(200, {"Content-Length": str(size), "Content-Type": "application/pdf"}, b""))

    def cut(self, path: str) -> str:
        """Breaks off in the middle of a body."""
        headers = {"Content-Length": "1000", "Content-Type": "text/plain"}
        return self.reply(path, Reply(200, headers, b"only this"))

    def gone(self, path: str) -> str:
        """Closes the connection without an answer."""
        return self.reply(path, Reply(abort=True))

    def bomb(self, path: str, size: int = 200_000_000) -> str:
        """A small body that would inflate to `size` bytes."""
        packed = gzip.compress(b"\0" * size, 6)
        return self.file(path, packed, "text/plain", Content_Encoding="gzip")

    def _pieces(self, path: str, pieces: Callable[[], Iterator[bytes]]) -> str:
        self._replies[path] = lambda _: Reply(200, {"Content-Type": "text/plain"}, pieces())
        return self.url(path)

    def _drops(self) -> Iterator[bytes]:
        while not self._server.ending.wait(0.05):
            yield b"."

    def _answer(self, request: Request) -> Reply:
        return self._replies.get(request.path, lambda _: Reply(404, {}, b"nothing here"))(request)
