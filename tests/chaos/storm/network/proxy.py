"""A TCP proxy before one store. Its weather decides what becomes of the bytes that pass."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from piperoll.embedded.ports import HOST
from tests.chaos.storm.network.wires import Wire

LOST = (ConnectionError, asyncio.IncompleteReadError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to the bytes of a connection.

    `delay_s` holds each piece up. `requests` and `answers` are whether that direction passes; what does not pass is
    held. `acknowledged` is whether an answer that acknowledges a write passes; where it does not, the connection is cut
    after the store has written. `connects` is whether a new connection is accepted.
    """

    delay_s: float = 0.0
    requests: bool = True
    answers: bool = True
    acknowledged: bool = True
    connects: bool = True


CLEAR = Weather()
Chosen = Callable[[int], bool]
"""Whether a connection is hit, by the port of its client."""


def everyone(port: int) -> bool:
    """Every connection."""
    return True


class Proxy:
    """One port that leads to the store at `target`. `wire` makes the parser of one connection."""

    def __init__(self, target: int, wire: Callable[[int, int], Wire]) -> None:
        self._target = target
        self._wire = wire
        self._server: asyncio.Server | None = None
        self._weather = CLEAR
        self._changed = asyncio.Event()
        self._links: set[_Link] = set()
        self._chosen: Chosen = everyone
        self.cut = 0
        self.port = 0

    async def start(self, port: int) -> None:
        """Listen at `port`, 0 for a free one."""
        self._server = await asyncio.start_server(self._serve, HOST, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Cut all connections and stop listening."""
        if self._server is not None:
            self._server.close()
        self.cut_all()
        await asyncio.gather(*(link.ended.wait() for link in self._links))

    @property
    def holding(self) -> int:
        """The number of connections with bytes that are held."""
        return sum(link.held for link in self._links)

    @asynccontextmanager
    async def weather(self, weather: Weather, chosen: Chosen = everyone) -> AsyncIterator[None]:
        """Let `weather` rule over the chosen connections; afterwards those whose bytes were held are cut."""
        for link in self._links:
            link.hit = chosen(link.port)
        self._chosen, self._weather = chosen, weather
        try:
            yield
        finally:
            self._weather, self._chosen = CLEAR, everyone
            self._changed.set()
            self._changed = asyncio.Event()
            for link in self._links:
                if link.held:
                    self._cut(link)

    def cut_all(self, chosen: Chosen = everyone) -> None:
        """Reset the chosen connections."""
        for link in self._links:
            if chosen(link.port):
                self._cut(link)

    def _cut(self, link: "_Link") -> None:
        self.cut += 1
        link.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._weather.connects and self._chosen(_port(writer)):
            writer.transport.abort()
            return
        try:
            store_reader, store_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(writer, store_writer, hit=self._chosen(_port(writer)))
        self._links.add(link)
        wire = self._wire(self._target, self.port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._requests(link, wire, reader))
                tasks.create_task(self._answers(link, wire, store_reader))
        except* LOST:
            pass
        finally:
            link.abort()
            self._links.discard(link)
            link.ended.set()

    async def _requests(self, link: "_Link", wire: Wire, reader: asyncio.StreamReader) -> None:
        while True:
            piece = await wire.request(reader)
            await self._pass(link, lambda weather: weather.requests)
            link.store.write(piece)
            await link.store.drain()

    async def _answers(self, link: "_Link", wire: Wire, reader: asyncio.StreamReader) -> None:
        while True:
            piece, acknowledges = await wire.answer(reader)
            if acknowledges and link.hit and not self._weather.acknowledged:
                self._cut(link)
                return
            await self._pass(link, lambda weather: weather.answers)
            link.client.write(piece)
            await link.client.drain()

    async def _pass(self, link: "_Link", may: Callable[[Weather], bool]) -> None:
        if link.hit and self._weather.delay_s:
            await asyncio.sleep(self._weather.delay_s)
        while link.hit and not may(self._weather):
            link.held = True
            await self._changed.wait()


class _Link:
    """One connection through the proxy. `held` is whether bytes of it did not pass in time."""

    def __init__(self, client: asyncio.StreamWriter, store: asyncio.StreamWriter, *, hit: bool) -> None:
        self.client = client
        self.store = store
        self.hit = hit
        self.held = False
        self.port = _port(client)
        self.ended = asyncio.Event()

    def abort(self) -> None:
        """Reset both sides."""
        for side in (self.client, self.store):
            with suppress(OSError):
                side.transport.abort()


def _port(client: asyncio.StreamWriter) -> int:
    return int(client.get_extra_info("peername")[1])
