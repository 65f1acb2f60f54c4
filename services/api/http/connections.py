"""Bounds of connections, on top of uvicorn's protocol over httptools: heads, slow clients, and their number.

The parser calls back with whole headers only, so an unfinished head is counted by the bytes that arrived. Times are
looked at once a second for all connections (`check`), so that a request costs nothing for them.
"""

import resource
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from schemas.errors import ErrorCode
from services.api.http.answers import failure
from services.api.http.errors import RETRY_AFTER_S, ApiError

LINGER_S = 5.0  # for a refused client to read its answer, before the connection is reset
LINGER_BYTES = 1024 * 1024
OTHER_FILES = 200  # descriptors that are not connections of clients: Kafka, Postgres, blobs, logs


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The most open connections, and what one may take: `head_bytes` and `head_s` for the head of a request; within
    each `body_s` at least `body_bytes` of its body, or the rest; `write_s` without any progress of its answer."""

    connections: int = 4000
    head_bytes: int = 64 * 1024
    head_s: float = 10.0
    body_s: float = 30.0
    body_bytes: int = 4096
    write_s: float = 60.0


def affordable(connections: int) -> int:
    """Return how many connections this process can have open, at most `connections`."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return connections if files == resource.RLIM_INFINITY else max(1, min(connections, files - OTHER_FILES))


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A refused one gets its answer, and is closed."""

    limits: ClassVar[ConnectionLimits]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""
        self._refused = False
        self._ended = False  # a request was completed by the bytes that arrived last
        self._in_body = False
        self._too_large = False
        self._discarded = 0
        self._arrived = 0
        self._head_bytes = 0
        self._head_due: float | None = None
        self._body_bytes = 0
        self._body_mark = 0
        self._body_due: float | None = None
        self._unsent: int | None = None
        self._write_due: float | None = None

    def connection_made(self, transport: Any) -> None:
        """Refuse a connection beyond the limit."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._answer(_too_many(self.limits.connections))
            transport.close()
        else:
            self._head_due = self.loop.time() + self.limits.head_s

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, and count it if it belongs to an unfinished head."""
        if self._refused or self.transport.is_closing():
            self._discard(len(data))
            return
        of_head = not self._in_body
        self._ended = False
        self._arrived = len(data) if of_head else 0
        super().data_received(data)
        if self._in_body or self._ended or self._refused:
            return
        self._head_bytes += self._arrived
        if self._head_bytes > self.limits.head_bytes:
            self._refuse(_large_head(self.limits.head_bytes))
        elif self._head_due is None and (self.cycle is None or self.cycle.response_complete):
            self._head_due = self.loop.time() + self.limits.head_s  # the next head has time while one is answered

    def _discard(self, size: int) -> None:
        """Read on for a moment: a connection that is closed with unread bytes is reset, and its answer is lost."""
        self._discarded += size
        if self._discarded > LINGER_BYTES and not self.transport.is_closing():
            self.flow.pause_reading()

    def on_headers_complete(self) -> None:
        """Refuse a head that arrived as a whole and is too large; the exception ends the parser's work."""
        limit = self.limits.head_bytes
        if self._head_bytes + self._arrived > limit:
            self._too_large = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > limit
            if self._too_large:
                raise ValueError("the head is too large")
        super().on_headers_complete()
        self._in_body = True
        self._head_bytes, self._head_due = 0, None
        self._body_bytes, self._body_mark, self._body_due = 0, 0, None

    def on_body(self, body: bytes) -> None:
        """Count the bytes of a body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note the end of a request."""
        super().on_message_complete()
        self._in_body = False
        self._ended = True

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that the parser refuses."""
        if self._too_large:
            self._refuse(_large_head(self.limits.head_bytes))
        else:
            super().send_400_response(msg)

    def pause_writing(self) -> None:
        """Note that the client does not read as fast as it is answered."""
        super().pause_writing()
        self._unsent = None

    def check(self, now: float) -> None:
        """Close the connection if it is over its times; called once a second."""
        if self._is_stuck(now):
            self.transport.abort()
        elif self._refused or self.transport.is_closing():
            return
        elif self._head_due is not None and now >= self._head_due:
            if self._head_bytes:
                self._refuse(_slow(f"the head of a request must arrive within {self.limits.head_s:g} s"))
            else:
                self.transport.close()
        elif self._in_body and not self.flow.read_paused:
            self._check_body(now)
        else:
            self._body_due = None

    def _check_body(self, now: float) -> None:
        limits = self.limits
        if self._body_due is not None and now >= self._body_due:
            if self._body_bytes - self._body_mark < limits.body_bytes:
                bound = f"{limits.body_bytes:,} bytes of a body, or its end, must arrive in {limits.body_s:g} s"
                self._refuse(_slow(f"at least {bound}"))
                return
            self._body_due = None
        if self._body_due is None:
            self._body_mark, self._body_due = self._body_bytes, now + limits.body_s

    def _is_stuck(self, now: float) -> bool:
        """Return whether nothing of an answer could be sent for too long."""
        unsent = self.transport.get_write_buffer_size() or int(self.transport.is_closing() or self._refused)
        if not unsent:
            self._write_due = None
        elif self._write_due is None or self._unsent is None or unsent < self._unsent:
            self._unsent = unsent
            self._write_due = now + (LINGER_S if self._refused else self.limits.write_s)
        return self._write_due is not None and now >= self._write_due

    def _refuse(self, error: ApiError) -> None:
        """Answer an error, unless the client gets another answer at this time, and wait a moment for it to leave."""
        self._unset_keepalive_if_required()
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            answering = cycle.response_started or not self._in_body
            cycle.disconnected = True
            cycle.message_event.set()
            if answering:
                self.transport.close()
                return
        elif self._in_body:  # its request was answered before it was complete
            self.transport.close()
            return
        self._answer(error)
        self.transport.write_eof()

    def _answer(self, error: ApiError) -> None:
        self._refused = True
        answer = failure(error, self.url.decode("latin-1"))
        lines = [STATUS_LINE[error.status], b"connection: close\r\n"]
        lines += [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
        self.transport.write(b"".join([*lines, b"\r\n", bytes(answer.body)]))


def bounded_by(limits: ConnectionLimits) -> type[BoundedProtocol]:
    """Return the protocol with these limits, as uvicorn's configuration takes it."""
    return type("LimitedProtocol", (BoundedProtocol,), {"limits": limits})


def _large_head(limit: int) -> ApiError:
    message = f"the request line and headers are larger than {limit // 1024} kB"
    return ApiError(431, ErrorCode.INVALID_REQUEST, message, {"limit_bytes": limit})


def _slow(message: str) -> ApiError:
    return ApiError(408, ErrorCode.INVALID_REQUEST, message)


def _too_many(limit: int) -> ApiError:
    message = f"this process has {limit:,} open connections, the maximum: try again when others have ended"
    return ApiError(429, ErrorCode.RATE_LIMITED, message, {"limit": limit}, {"Retry-After": RETRY_AFTER_S})
