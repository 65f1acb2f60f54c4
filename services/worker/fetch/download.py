"""Downloads what a job's `url` leads to: one GET with its redirects, into a file, within bounds of size and time.

It knows no format: whether the file is a PDF or a page is for the processor to see.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

import httpcore
import httpx

from piperoll.addresses import BlockedAddressError
from piperoll.clock import utc_now
from piperoll.webhooks.retry_after import retry_after_s
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.fetch.guarded_connection import GuardedBackend, Lookup, UnknownNameError
from services.worker.fetch.response import Reply, decoder, redirect_target
from services.worker.run.workspace import Workspace

MAX_REDIRECTS = 5
HEADERS = {
    "User-Agent": "piperoll",
    "Accept": "*/*",
    "Accept-Encoding": "identity",  # what is inflated here has to be counted here
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A download: the file, where it came from after all redirects, and what the server says of it.

    `name` is a bare file name, never empty; `media_type` has no parameters and is empty when the server gives none;
    `charset` is None likewise.
    """

    path: Path
    url: str
    media_type: str
    charset: str | None
    name: str
    size: int


def unheard() -> None:
    """For a download that nobody watches."""


def fetch(
    url: str,
    workspace: Workspace,
    max_bytes: int | None = None,
    lookup: Lookup = socket.getaddrinfo,
    beat: Callable[[], None] = unheard,
) -> Fetched:
    """Downloads `url` into the run's own folder; `max_bytes` is the limit of the workspace unless given.

    `beat` is called as the bytes come, for a download that may outlast the patience with a silent run.
    Raises ProcessingError: BLOCKED_ADDRESS, URL_NOT_FOUND (404, 410), HTTP_ERROR, NETWORK_ERROR, TIMEOUT,
    FILE_TOO_LARGE. Retryable are the network, the time, and the statuses 408, 429 and 5xx.
    """
    limits = workspace.limits
    deadline = time.monotonic() + limits.fetch_timeout_s
    with (
        _failures(limits.fetch_timeout_s, deadline),
        httpcore.ConnectionPool(
            ssl_context=_tls(),
            max_connections=1,
            network_backend=GuardedBackend(limits.networks, deadline, lookup),
        ) as connections,
    ):
        return _follow(connections, url, _Sink(workspace.folder, max_bytes or limits.max_bytes, beat))


@cache
def _tls() -> ssl.SSLContext:
    """The certificates that are trusted, read once."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True)
class _Sink:
    """Where a body goes, and within what bounds."""

    folder: Path
    max_bytes: int
    beat: Callable[[], None]


def _follow(connections: httpcore.ConnectionPool, url: str, sink: _Sink) -> Fetched:
    for _ in range(1 + MAX_REDIRECTS):
        place = _address(url)
        target = httpcore.URL(
            scheme=place.raw_scheme, host=place.raw_host, port=place.port, target=place.raw_path or b"/"
        )
        headers = [*HEADERS.items(), ("Host", place.netloc.decode("ascii"))]
        with connections.stream("GET", target, headers=headers) as answer:
            reply = Reply.of(answer.status, answer.headers)
            following = redirect_target(reply, str(place))
            if following is None:
                _check_status(reply)
                return _save(answer, reply, place, sink)
            url = following
    raise ProcessingError(ErrorCode.HTTP_ERROR, f"The url leads on and on: more than {MAX_REDIRECTS} redirects.")


def _address(url: str) -> httpx.URL:
    try:
        place = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise _not_fetchable() from error
    if place.scheme not in ("http", "https") or not place.host or place.userinfo:
        raise _not_fetchable()
    return place


def _not_fetchable() -> ProcessingError:
    return ProcessingError(
        ErrorCode.NETWORK_ERROR,
        "The url, or one that it redirects to, is no http or https address without user and password.",
        retryable=False,
    )


def _check_status(reply: Reply) -> None:
    if reply.status in (404, 410):
        raise ProcessingError(ErrorCode.URL_NOT_FOUND, f"There is nothing behind the url (status {reply.status}).")
    if not 200 <= reply.status < 300:
        raise ProcessingError(
            ErrorCode.HTTP_ERROR,
            f"The server behind the url answered with status {reply.status}.",
            retryable=reply.status in (408, 429) or reply.status >= 500,
            retry_after_s=retry_after_s(reply.header("retry-after"), utc_now()),
        )


def _save(answer: httpcore.Response, reply: Reply, place: httpx.URL, sink: _Sink) -> Fetched:
    if (reply.length or 0) > sink.max_bytes:
        raise _too_large(sink.max_bytes)
    with NamedTemporaryFile(dir=sink.folder, prefix="fetched-", delete=False) as file:
        size = _stream(answer, reply, file, sink)
    return Fetched(Path(file.name), str(place), reply.media_type, reply.charset, reply.name(place.path), size)


def _stream(answer: httpcore.Response, reply: Reply, file: IO[bytes], sink: _Sink) -> int:
    """Writes the body as it comes, inflated if it came packed; answers its size."""
    size = 0
    unpack = decoder(reply)
    for chunk in answer.iter_stream():
        for piece in unpack(chunk):
            size += len(piece)
            if size > sink.max_bytes:
                raise _too_large(sink.max_bytes)
            file.write(piece)
        sink.beat()
    return size


def _too_large(max_bytes: int) -> ProcessingError:
    return ProcessingError(
        ErrorCode.FILE_TOO_LARGE, f"What the url leads to has more than {max_bytes:,} bytes, which is the limit."
    )


@contextmanager
def _failures(timeout_s: float, deadline: float) -> Iterator[None]:
    """Turns what goes wrong on the way into ProcessingError."""
    try:
        yield
    except BlockedAddressError as error:
        raise ProcessingError(
            ErrorCode.BLOCKED_ADDRESS,
            "The url leads to a blocked address: private, local and metadata addresses are not called.",
        ) from error
    except UnknownNameError as error:
        raise ProcessingError(
            ErrorCode.NETWORK_ERROR, "The name in the url is not known.", retryable=error.for_now
        ) from error
    except httpcore.TimeoutException as error:
        late = time.monotonic() >= deadline
        what = f"did not deliver within {timeout_s:g} s" if late else "keeps silent"
        raise ProcessingError(ErrorCode.TIMEOUT, f"The server behind the url {what}.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        distrusted = isinstance(error.__cause__ or error.__context__, ssl.SSLCertVerificationError)
        what = "has a certificate that is not trusted" if distrusted else "cannot be reached, or broke off"
        raise ProcessingError(
            ErrorCode.NETWORK_ERROR, f"The server behind the url {what}.", retryable=not distrusted
        ) from error
