"""Connections of a download: only to allowed addresses, with one deadline for all of them.

A backend for httpcore. It resolves names itself and connects to the addresses that it has checked, so that DNS changes
between check and connection have no effect.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore

from piperoll.addresses import BlockedAddressError, Network, require_allowed

CONNECT_TIMEOUT_S = 10.0  # per address of a name

SILENCE_S = 120.0  # less than the worker's limit for a run without a heartbeat (PIPEROLL_STALL_TIMEOUT_S)

Lookup = Callable[..., list[tuple[Any, ...]]]
SocketOptions = Iterable[tuple[Any, ...]] | None


class UnknownNameError(Exception):
    """The name does not resolve. `temporary` when the DNS lookup itself failed."""

    def __init__(self, temporary: bool) -> None:
        super().__init__()
        self.temporary = temporary


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to addresses that `allowed` and the rules of piperoll.addresses permit, until `deadline` (monotonic).

    A name with an address that is not allowed is rejected as a whole.
    """

    def __init__(self, allowed: Sequence[Network], deadline: float, lookup: Lookup = socket.getaddrinfo) -> None:
        self._allowed = tuple(allowed)
        self._deadline = deadline
        self._lookup = lookup
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.NetworkStream:
        """Connect. Raises BlockedAddressError, UnknownNameError, and httpcore's ConnectError and ConnectTimeout."""
        *others, last = self._addresses(host, port)
        for address in others:
            try:
                return self._connect(address, port, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connect(last, port, socket_options)

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = self._lookup(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise UnknownNameError(temporary=error.errno == socket.EAI_AGAIN) from error
        except UnicodeError as error:  # an empty or too long label
            raise UnknownNameError(temporary=False) from error
        addresses = [str(address[0]) for *_, address in found]
        if not addresses:
            raise BlockedAddressError
        require_allowed(addresses, self._allowed)
        return addresses

    def _connect(self, address: str, port: int, socket_options: SocketOptions) -> httpcore.NetworkStream:
        timeout = min(CONNECT_TIMEOUT_S, _left(self._deadline))
        stream = self._plain.connect_tcp(address, port, timeout=timeout, socket_options=socket_options)
        return TimedStream(stream, self._deadline)


class TimedStream(httpcore.NetworkStream):
    """A connection whose waits end at the deadline, however slowly the server sends; earlier if it sends nothing."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read. Raises httpcore.ReadTimeout at the deadline or after SILENCE_S; ignores `timeout`."""
        return self._stream.read(max_bytes, min(SILENCE_S, _left(self._deadline)))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write. Raises httpcore.WriteTimeout or ReadTimeout at the deadline."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the connection with TLS and the same deadline."""
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """See `httpcore.NetworkStream`."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    """Return the seconds until the deadline. Raises httpcore.ReadTimeout when it is past."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left
