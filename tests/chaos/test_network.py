"""The proxy of the storm: what its weather does to the bytes between a client and a store."""

import asyncio
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from piperoll.embedded.ports import HOST
from tests.chaos.storm.network.owners import ports_of
from tests.chaos.storm.network.proxy import Proxy, Weather
from tests.chaos.storm.network.wires import PRODUCE, KafkaWire
from tests.support.waiting import PATIENCE_S, wait_until

METADATA, FETCH = 3, 1
BLACK_HOLE = Weather(requests=False, answers=False)


@dataclass
class Store:
    """A server with Kafka's frames that answers each request with its own address; `keys` are those it read."""

    port: int = 0
    keys: list[int] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while size := await reader.read(4):
            body = await reader.readexactly(struct.unpack(">i", size)[0])
            key, _, correlation = struct.unpack_from(">hhi", body)
            self.keys.append(key)
            answer = struct.pack(">i", correlation) + HOST.encode() + struct.pack(">i", self.port)
            writer.write(struct.pack(">i", len(answer)) + answer)
        writer.close()


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def ask(self, key: int) -> None:
        body = struct.pack(">hhi", key, 0, 7)
        self.writer.write(struct.pack(">i", len(body)) + body)

    async def answered_port(self) -> int | None:
        """The port in the next answer; None when the connection ended before it."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                frame = await self.reader.readexactly(4 + 4 + len(HOST) + 4)
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
        return int(struct.unpack(">i", frame[-4:])[0])


@dataclass
class Scene:
    store: Store
    proxy: Proxy

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection(HOST, self.proxy.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.transport.abort()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    store = Store()
    server = await asyncio.start_server(store.serve, HOST, 0)
    store.port = server.sockets[0].getsockname()[1]
    proxy = Proxy(store.port, KafkaWire)
    await proxy.start(0)
    yield Scene(store, proxy)
    await proxy.stop()
    server.close()


async def test_a_broker_that_names_its_address_is_reached_through_the_proxy(scene: Scene) -> None:
    async with scene.client() as client:
        client.ask(METADATA)
        assert await client.answered_port() == scene.proxy.port


async def test_records_pass_as_they_are(scene: Scene) -> None:
    async with scene.client() as client:
        client.ask(FETCH)
        assert await client.answered_port() == scene.store.port


async def test_a_connection_is_cut_after_the_store_has_written_and_before_its_answer(scene: Scene) -> None:
    async with scene.client() as client, scene.proxy.weather(Weather(acknowledged=False)):
        client.ask(FETCH)
        assert await client.answered_port() == scene.store.port, "other answers pass"
        client.ask(PRODUCE)
        assert await client.answered_port() is None
    assert scene.store.keys == [FETCH, PRODUCE]


async def test_nothing_passes_a_black_hole_and_its_connections_end_with_it(scene: Scene) -> None:
    async with scene.client() as client:
        async with scene.proxy.weather(BLACK_HOLE):
            client.ask(FETCH)
            await wait_until(lambda: scene.proxy.holding == 1, PATIENCE_S, "the request to be held")
            assert scene.store.keys == []
        assert await client.answered_port() is None
    async with scene.client() as client:
        client.ask(METADATA)
        assert await client.answered_port() == scene.proxy.port


async def test_half_open_requests_are_carried_out_and_not_answered(scene: Scene) -> None:
    async with scene.client() as client:
        async with scene.proxy.weather(Weather(answers=False)):
            client.ask(PRODUCE)
            await wait_until(lambda: scene.proxy.holding == 1, PATIENCE_S, "the answer to be held")
        assert scene.store.keys == [PRODUCE]
        assert await client.answered_port() is None


async def test_a_connection_that_is_not_chosen_is_spared(scene: Scene) -> None:
    async with scene.client() as client, scene.proxy.weather(BLACK_HOLE, lambda port: False):
        client.ask(METADATA)
        assert await client.answered_port() == scene.proxy.port


async def test_connections_are_refused(scene: Scene) -> None:
    async with scene.proxy.weather(Weather(connects=False)), scene.client() as client:
        assert await client.answered_port() is None
    assert scene.store.keys == []


async def test_one_process_is_cut_off_and_the_others_are_not(scene: Scene) -> None:
    mine = os.getpid()
    async with scene.proxy.weather(BLACK_HOLE, lambda port: port not in ports_of(mine)), scene.client() as client:
        client.ask(METADATA)
        assert await client.answered_port() == scene.proxy.port
    async with scene.client() as client, scene.proxy.weather(BLACK_HOLE, lambda port: port in ports_of(mine)):
        client.ask(METADATA)
        await wait_until(lambda: scene.proxy.holding == 1, PATIENCE_S, "the request to be held")
    assert scene.store.keys == [METADATA]
