"""Block private networks for webhooks: check all addresses of a name, and again the address of the connection."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from piperoll.addresses import Network, require_allowed

LOOKUP_THREADS = 32  # separate threads: slow DNS lookups must not block other work

Lookup = Callable[..., list[tuple[Any, ...]]]


class GuardedResolver(AbstractResolver):
    """Resolves names; rejects a name if any of its addresses is not allowed."""

    def __init__(self, allowed: Sequence[Network], lookup: Lookup = socket.getaddrinfo) -> None:
        self._allowed = tuple(allowed)
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return all addresses of a name. Raises BlockedAddressError and socket.gaierror."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: self._lookup(host, port, family=family, type=socket.SOCK_STREAM)
        )
        answers = [(kind, proto, str(address[0])) for kind, _, proto, _, address in found]
        require_allowed((address for *_, address in answers), self._allowed)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=proto, flags=socket.AI_NUMERICHOST)
            for kind, proto, address in answers
        ]

    async def close(self) -> None:
        """Stop the threads without waiting for running lookups."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def guarded_socket(allowed: Sequence[Network]) -> Callable[[tuple[Any, ...]], socket.socket]:
    """Return a socket factory that raises BlockedAddressError for an address that is not allowed.

    It gets the address of the connection, so it covers literal addresses and DNS changes after the lookup.
    """
    networks = tuple(allowed)

    def open_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, proto, _, address = info
        require_allowed([address[0]], networks)
        return socket.socket(family=family, type=kind, proto=proto)

    return open_socket
