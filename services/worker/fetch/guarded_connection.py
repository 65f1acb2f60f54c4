"""Connections of a download: every address is judged before it is dialled, and time ends for all of them at once.

A backend for httpcore. It resolves a name itself and dials only what it judged, so that a name cannot lead elsewhere
between the verdict and the connection. No redirect and no status is judged here.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore

from piperoll.addresses import BlockedAddressError, Network, require_allowed

CONNECT_TIMEOUT_S = 10.0  # for one address; the next one of the name is tried after it

SILENCE_S = 120.0  # less than the worker's patience with a run that says nothing (PIPEROLL_STALL_TIMEOUT_S)

Lookup = Callable[..., list[tuple[Any, ...]]]
SocketOptions = Iterable[tuple[Any, ...]] | None


class UnknownNameError(Exception):
    """The name does not exist. `for_now` when the name service could not tell."""

    def __init__(self, for_now: bool) -> None:
        super().__init__()
        self.for_now = for_now


class GuardedBackend(httpcore.NetworkBackend):
    """Dials what `allowed` and the rules of piperoll.addresses admit, until `deadline` of the monotonic clock.

    A name that leads, if only in part, to an address that is not allowed is refused as a whole.
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
        """Raises BlockedAddressError, UnknownNameError, and httpcore's ConnectError and ConnectTimeout."""
        *others, last = self._addresses(host, port)
        for address in others:
            try:
                return self._dial(address, port, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._dial(last, port, socket_options)

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = self._lookup(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise UnknownNameError(for_now=error.errno == socket.EAI_AGAIN) from error
        except UnicodeError as error:  # a label that is empty or too long
            raise UnknownNameError(for_now=False) from error
        addresses = [str(address[0]) for *_, address in found]
        if not addresses:
            raise BlockedAddressError
        require_allowed(addresses, self._allowed)
        return addresses

    def _dial(self, address: str, port: int, socket_options: SocketOptions) -> httpcore.NetworkStream:
        patience = min(CONNECT_TIMEOUT_S, _left(self._deadline))
        stream = self._plain.connect_tcp(address, port, timeout=patience, socket_options=socket_options)
        return TimedStream(stream, self._deadline)


class TimedStream(httpcore.NetworkStream):
    """A connection on which every wait ends at the deadline: a server that drips bytes gains nothing by it.

    One that sends nothing at all is left sooner.
    """

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Raises httpcore.ReadTimeout at the deadline or after SILENCE_S, whatever `timeout` says."""
        return self._stream.read(max_bytes, min(SILENCE_S, _left(self._deadline)))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Raises httpcore.WriteTimeout or ReadTimeout at the deadline."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Closes the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The connection under TLS, with the same deadline."""
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the plain connection says."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    """Seconds until the deadline. Raises httpcore.ReadTimeout when it is past."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left
