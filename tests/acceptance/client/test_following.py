"""Streams by the client, over a network that cuts them, and the facts in Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

from piperoll.client import AsyncClient, JobView, SkippedFact, follow
from piperoll.log.kafka import client_options
from tests.support.stacks.system import System

PATIENCE_S = 60.0


@asynccontextmanager
async def cutting(url: str, after: int) -> AsyncIterator[tuple[str, list[int]]]:
    """A relay to the API that cuts each connection after `after` bytes of answers; yields its address and the cuts."""
    place, cuts, relays = urlsplit(url), [0], set[asyncio.Task[None]]()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(place.hostname, place.port)
        sending = asyncio.create_task(_copy(reader, back))
        try:
            left = after
            while left > 0 and (piece := await there.read(left)):
                left -= len(piece)
                writer.write(piece)
                await writer.drain()
            cuts[0] += left == 0
        finally:
            sending.cancel()
            writer.transport.abort()
            back.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relays.add(asyncio.create_task(relay(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", cuts
    finally:
        server.close()
        for one in relays:
            one.cancel()
        await asyncio.gather(*relays, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)


async def test_a_stream_that_is_cut_again_and_again_misses_nothing_and_repeats_nothing(system: System) -> None:
    job_id = await system.create(sleep_s=4, steps=20)
    relayed = cutting(system.stack.api_url, after=900)
    async with relayed as (url, cuts), AsyncClient(url, system.stack.api_key) as client:
        events = [event async for event in client.jobs.stream(job_id)]

    assert cuts[0] > 1
    assert events[-1].name == "completed"
    percents = [event.percent for event in events if event.name == "progress"]
    assert percents == sorted(set(percents)), "each percent once, rising"
    assert len({event.event_id for event in events}) == len(events)


async def test_the_stream_of_the_owner_shows_jobs_from_now_on(client: AsyncClient) -> None:
    ended: list[JobView] = []
    async with aclosing(client.stream(job_type="noop")) as stream, asyncio.timeout(PATIENCE_S):
        assert (await anext(stream)).name == "open"
        job = await client.jobs.create("noop")
        while not ended:
            event = await anext(stream)
            ended += [one for one in [event.job] if one and one.job_id == job.job_id and one.ended]

    assert ended[0].completed


async def test_watching_a_job_shows_each_change_up_to_its_end(client: AsyncClient) -> None:
    job = await client.jobs.create("noop", {"steps": 3, "sleep_s": 0.5})

    states = [one.status async for one in client.jobs.watch(job.job_id)]

    assert states[-1] == "completed"


async def test_the_facts_of_a_job_are_followed_in_kafka(system: System, client: AsyncClient) -> None:
    job = await client.jobs.create("noop")
    await client.jobs.wait(job.job_id, timeout=PATIENCE_S)
    names, skipped = [], list[SkippedFact]()

    options = client_options(system.settings)
    bootstrap = str(options.pop("bootstrap_servers"))
    follower = follow(bootstrap, group_id=f"client-{uuid4().hex}", skipped=skipped.append, **options)
    async with follower as facts, asyncio.timeout(PATIENCE_S):
        async for fact in facts:
            if fact.subject == job.job_id:
                names.append(fact.name)
                assert fact.owner == "local"
            if names and names[-1] == "JobCompleted":
                break

    assert (names[0], names[-1]) == ("JobCreated", "JobCompleted")
    assert "JobStarted" in names
