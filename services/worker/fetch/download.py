"""Download a job's `url` into a file: one GET with redirects, limited in size and time."""

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

from piperoll.addresses import SOURCE_NETWORKS, BlockedAddressError, advice_about
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
    "Accept-Encoding": "identity",  # decompression has to be limited here
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Download:
    """A downloaded file, its URL after all redirects, and the server's metadata.

    `name` is a bare file name, never empty; `media_type` has no parameters and may be empty; `charset` may be None.
    """

    path: Path
    url: str
    media_type: str
    charset: str | None
    name: str
    size: int


def no_heartbeat() -> None:
    """Send no heartbeat."""


def fetch(
    url: str,
    workspace: Workspace,
    max_bytes: int | None = None,
    lookup: Lookup = socket.getaddrinfo,
    beat: Callable[[], None] = no_heartbeat,
) -> Download:
    """Download `url` into the run's folder; `max_bytes` defaults to the limit of the workspace.

    `beat` is called per chunk, as the heartbeat of a long download. Raises ProcessingError: BLOCKED_ADDRESS,
    URL_NOT_FOUND (404, 410), HTTP_ERROR, NETWORK_ERROR, TIMEOUT, FILE_TOO_LARGE. Retryable are network errors,
    timeouts, and the statuses 408, 429 and 5xx.
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
    """Return the TLS context; certificates are loaded once."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True)
class _Sink:
    """The target of a body and its size limit."""

    folder: Path
    max_bytes: int
    beat: Callable[[], None]


def _follow(connections: httpcore.ConnectionPool, url: str, sink: _Sink) -> Download:
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
    raise ProcessingError(ErrorCode.HTTP_ERROR, f"Too many redirects (more than {MAX_REDIRECTS}).")


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
        "The url, or one that it redirects to, is not an http or https URL without user and password.",
        retryable=False,
    )


def _check_status(reply: Reply) -> None:
    if reply.status in (404, 410):
        raise ProcessingError(ErrorCode.URL_NOT_FOUND, f"The url was not found (status {reply.status}).")
    if not 200 <= reply.status < 300:
        raise ProcessingError(
            ErrorCode.HTTP_ERROR,
            f"The server at the url answered with status {reply.status}.",
            retryable=reply.status in (408, 429) or reply.status >= 500,
            retry_after_s=retry_after_s(reply.header("retry-after"), utc_now()),
        )


def _save(answer: httpcore.Response, reply: Reply, place: httpx.URL, sink: _Sink) -> Download:
    if (reply.length or 0) > sink.max_bytes:
        raise _too_large(sink.max_bytes)
    with NamedTemporaryFile(dir=sink.folder, prefix="fetched-", delete=False) as file:
        size = _stream(answer, reply, file, sink)
    return Download(Path(file.name), str(place), reply.media_type, reply.charset, reply.name(place.path), size)


def _stream(answer: httpcore.Response, reply: Reply, file: IO[bytes], sink: _Sink) -> int:
    """Write the decoded body to the file; return its size."""
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
        ErrorCode.FILE_TOO_LARGE, f"The file at the url has more than {max_bytes:,} bytes, which is the limit."
    )


@contextmanager
def _failures(timeout_s: float, deadline: float) -> Iterator[None]:
    """Convert network errors to ProcessingError."""
    try:
        yield
    except BlockedAddressError as error:
        raise ProcessingError(
            ErrorCode.BLOCKED_ADDRESS,
            f"The url leads to a blocked address: {advice_about(SOURCE_NETWORKS)}.",
        ) from error
    except UnknownNameError as error:
        raise ProcessingError(
            ErrorCode.NETWORK_ERROR, "The host name in the url does not exist.", retryable=error.temporary
        ) from error
    except httpcore.TimeoutException as error:
        late = time.monotonic() >= deadline
        what = f"did not finish within {timeout_s:g} s" if late else "does not respond"
        raise ProcessingError(ErrorCode.TIMEOUT, f"The server at the url {what}.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        distrusted = isinstance(error.__cause__ or error.__context__, ssl.SSLCertVerificationError)
        what = (
            "has a certificate that is not trusted" if distrusted else "could not be reached, or broke the connection"
        )
        raise ProcessingError(
            ErrorCode.NETWORK_ERROR, f"The server at the url {what}.", retryable=not distrusted
        ) from error
