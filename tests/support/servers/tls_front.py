"""TLS before a Postgres that has none: asks clients for certificates, and passes the decrypted bytes on.

The protocol: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
"""

import asyncio
import ssl
import struct
from contextlib import suppress

from piperoll.embedded.ports import HOST
from tests.support.servers.authority import Authority

SSL_REQUEST = struct.pack(">ii", 8, 80877103)


class TlsFront:
    """One port that leads to the Postgres at `target`, for clients with a certificate of the authority."""

    def __init__(self, target: int, authority: Authority) -> None:
        self._target = target
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.ca)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_cert_chain(authority.issue("postgres").both)
        self._server: asyncio.Server | None = None
        self.port = 0
        self.names: list[str] = []
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "TlsFront":
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for connection in tuple(self._open):
            connection.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._lead(reader, writer)
        finally:
            writer.transport.abort()
            self._open.discard(task)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let a client with a certificate in, and pass bytes until one side ends."""
        if await reader.readexactly(len(SSL_REQUEST)) != SSL_REQUEST:
            return  # as a server that only takes TLS
        writer.write(b"S")
        await writer.drain()
        await writer.start_tls(self._context)
        subject = writer.get_extra_info("peercert")["subject"]
        self.names.append(dict(part[0] for part in subject)["commonName"])
        store_reader, store_writer = await asyncio.open_connection(HOST, self._target)
        both = [asyncio.create_task(one) for one in (_pass(reader, store_writer), _pass(store_reader, writer))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            store_writer.transport.abort()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(64 * 1024):
        writer.write(piece)
        await writer.drain()
