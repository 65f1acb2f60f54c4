"""The API's process: its connections, and the order in which it starts and stops."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager

import structlog

from piperoll.installation.guard import Guard
from piperoll.installation.tables import requirement
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.topics.watch import TopicWatch
from piperoll.postgres import connect_pool
from piperoll.runtime import Lifetime
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from piperoll.webhooks.sender import Sender
from schemas.read_model_names import READ_SCHEMA
from services.api.assembly import Assembly, Connections
from services.api.http.connections import ConnectionLimits
from services.api.http.server import listen, serve
from services.api.read_model.positions import Positions
from services.api.trials.posting import CONNECT_S

log = structlog.get_logger()


async def main(settings: Settings, lifetime: Lifetime) -> None:
    """Serve until `lifetime.stopping`. Kafka must be up at the start; Postgres and the blob store may come later.

    Raises InstallationError.
    """
    seal = Seal(settings.sealing_keys)
    topics = TopicWatch(settings)
    await topics.begin()
    lifetime.check("topics", topics.problem)
    appender = KafkaAppender(settings, client_id=f"piperoll-api-{settings.instance}")
    async with _connected(settings, seal, lifetime, appender) as connections:
        assembly = Assembly(settings, connections, lifetime.problems)
        lasting = {
            "the read model's positions": connections.positions.run(),
            "the comparison of the stores": connections.guard.run(lifetime.stopping),
            "the watch of the topics": topics.run(lifetime.stopping),
            "the watch of jobs": assembly.watch.run(),
            "the changes of keys": assembly.key_changes.run(),
            "the audit of keys": assembly.key_facts.run(lifetime.stopping),
            "the audit of reads": assembly.recorder.run(lifetime.stopping),
            "the producer's watch": appender.watch(lifetime.stopping),
            "the release of waiting requests": _release(lifetime.stopping, assembly),
        }
        await _serve(settings, lifetime, assembly, lasting)
        connections.blobs.close()


@asynccontextmanager
async def _connected(
    settings: Settings, seal: Seal, lifetime: Lifetime, appender: KafkaAppender
) -> AsyncIterator[Connections]:
    """Yield the producer, the offset reader, a pool that connects on demand, and the sender of webhook tests."""
    offsets = KafkaOffsets(settings)
    dsn = settings.postgres_dsn.get_secret_value()
    blobs = AsyncBlobs(Blobs(settings.blob_url))
    guard = Guard(blobs, offsets)
    pool = await connect_pool(dsn, min_size=0, name=f"piperoll api {settings.instance}")
    positions = Positions(dsn, requirement(READ_SCHEMA, lambda: guard.installation), settings.instance)
    sender = Sender(settings.private_networks, connect_s=CONNECT_S, uncached=True)
    lifetime.check("kafka", appender.problem)
    lifetime.check("clock", appender.clock.problem)
    lifetime.check("installation", guard.problem)
    lifetime.check("read_model", positions.problem)
    try:
        await appender.start()
        await offsets.start()
        await guard.try_once()
        yield Connections(appender, offsets, pool, positions, blobs, sender, seal, guard, appender.clock)
    finally:
        await sender.close()
        await offsets.stop()
        await appender.stop()
        pool.terminate()


async def _serve(
    settings: Settings, lifetime: Lifetime, assembly: Assembly, lasting: Mapping[str, Coroutine[None, None, None]]
) -> None:
    """Run the server and its background tasks; waiting requests are answered before the drain."""
    with listen(settings.api_host, settings.api_port) as listening:
        host, port = listening.getsockname()[:2]
        log.info("api_listening", host=host, port=port)
        async with asyncio.TaskGroup() as tasks:
            background = [tasks.create_task(lifetime.background.loop(name, work)) for name, work in lasting.items()]
            background.append(
                tasks.create_task(lifetime.background.until_done("the table of keys", assembly.access.prepare))
            )
            limits = ConnectionLimits(settings.max_connections)
            await serve(assembly.app(), listening, lifetime.stopping, limits)
            await assembly.recorder.flush()
            for task in background:
                task.cancel()


async def _release(stopping: asyncio.Event, assembly: Assembly) -> None:
    await stopping.wait()
    assembly.release()
