"""The composition root of the API: what is built from the settings, in which order it starts and ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog
from fastapi import FastAPI

from piperoll.clock import utc_now
from piperoll.embeddings import Remote
from piperoll.log.admin import require_topics
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.postgres import connect_pool
from piperoll.runtime import Lifetime
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from piperoll.webhooks.sender import Sender
from schemas.topics import DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS, Topic
from services.api.api_keys.commands import KeyAdmin
from services.api.devana_jobs.listing import DevanaListing
from services.api.documents.commands import DocumentCommands
from services.api.documents.upload import DocumentIntake
from services.api.endpoints.commands import EndpointCommands
from services.api.folders.search import Search
from services.api.http.access import Access
from services.api.http.rate_limit import RateLimit
from services.api.http.server import listen, serve
from services.api.jobs.commands import Commands
from services.api.jobs.creation import Creator
from services.api.jobs.id_spread import IdSpread
from services.api.jobs.listing import JobListing
from services.api.jobs.named_documents import Resolver
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Rules
from services.api.jobs.watch import JobWatch
from services.api.log.ends import LogEnds
from services.api.log.facts import FactLog
from services.api.outputs.files import Outputs
from services.api.owner_stream.changes import ChangeFeed
from services.api.parts import Parts
from services.api.read_model.catching_up import CatchingUp
from services.api.read_model.contents import Contents
from services.api.read_model.documents import DocumentModel
from services.api.read_model.jobs import ReadModel
from services.api.read_model.library import Library
from services.api.read_model.positions import Positions
from services.api.redelivery.commands import Redelivery
from services.api.signing_keys.commands import SigningKeyAdmin
from services.api.trials.posting import A_MINUTE, CONNECT_S, Trials
from services.api.web import build_app

log = structlog.get_logger()


async def main(settings: Settings, lifetime: Lifetime) -> None:
    """Serves until told to stop. Needs Kafka to start; Postgres may come later."""
    seal = Seal(settings.sealing_keys)
    await require_topics(settings)
    async with _connected(settings) as (appender, offsets, pool, sender):
        blobs = AsyncBlobs(Blobs(settings.blob_url))
        positions = Positions(settings.postgres_dsn.get_secret_value())
        read_model = ReadModel(pool, settings.read_deadline_s)
        watch = JobWatch(read_model, positions)
        changes = ChangeFeed(read_model, positions)
        ends = LogEnds(offsets, settings.read_deadline_s)
        contents = Contents(blobs)
        reading = Reading(read_model, positions, ends, watch, contents, settings.read_deadline_s)
        library = _library(settings, offsets, pool, positions, reading)
        job_facts, document_facts, endpoint_facts, delivery_facts = (
            FactLog(appender, topic, utc_now, settings.append_deadline_s)
            for topic in (JOB_EVENTS, DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_DELIVERIES)
        )
        commands = Commands(job_facts, blobs, seal, Resolver(library))
        documents = DocumentCommands(document_facts, blobs)
        access, pepper, rules = _access(settings, pool), settings.key_pepper.get_secret_value(), Rules.of(settings)
        signing_keys = SigningKeyAdmin(pool, seal, settings.signing_overlap_s, settings.read_deadline_s)
        creator = Creator(commands, read_model, reading, IdSpread(settings.partitions))
        parts = Parts(
            rules=rules,
            commands=commands,
            creator=creator,
            reading=reading,
            changes=changes,
            listing=JobListing(read_model, reading, contents),
            devana_listing=DevanaListing(read_model, reading, contents),
            endpoints=_endpoints(settings, endpoint_facts, offsets, pool, blobs, seal, positions),
            signing_keys=signing_keys,
            key_admin=KeyAdmin(pool, pepper, access, settings.read_deadline_s),
            library=library,
            documents=documents,
            intake=DocumentIntake(blobs, documents, creator, rules, settings.max_upload_bytes),
            search=Search(library.model, Remote.of(settings)),
            outputs=Outputs(blobs),
            read_model=read_model,
            redelivery=_redelivery(settings, delivery_facts, offsets, pool, read_model, positions),
            trials=Trials(sender, signing_keys, RateLimit(pool, A_MINUTE, settings.read_deadline_s)),
            blobs=blobs,
            problems=lifetime.problems,
            max_body_bytes=settings.max_body_bytes,
            max_upload_bytes=settings.max_upload_bytes,
            document_wait_s=settings.document_wait_s,
        )
        lifetime.check("kafka", appender.problem)
        lifetime.check("read_model", positions.problem)
        app = build_app(parts, access, RateLimit(pool, settings.rate_limit, settings.read_deadline_s))
        await _serve(settings, lifetime, app, access, positions, watch, changes)
        blobs.close()


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[tuple[KafkaAppender, KafkaOffsets, asyncpg.Pool, Sender]]:
    """Producer, a look at offsets, a pool that opens connections when they are needed, and what posts trials."""
    appender = KafkaAppender(settings, client_id=f"piperoll-api-{settings.instance}")
    offsets = KafkaOffsets(settings)
    pool = await connect_pool(settings.postgres_dsn.get_secret_value(), min_size=0)
    sender = Sender(settings.private_networks, connect_s=CONNECT_S, uncached=True)
    try:
        await appender.start()
        await offsets.start()
        yield appender, offsets, pool, sender
    finally:
        await sender.close()
        await offsets.stop()
        await appender.stop()
        pool.terminate()


async def _serve(
    settings: Settings,
    lifetime: Lifetime,
    app: FastAPI,
    access: Access,
    positions: Positions,
    watch: JobWatch,
    changes: ChangeFeed,
) -> None:
    """Runs the server with what has to run beside it; those who wait are answered before the drain."""
    with listen(settings.api_host, settings.api_port) as listening:
        host, port = listening.getsockname()[:2]
        log.info("api_listening", host=host, port=port)
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(positions.run()),
                tasks.create_task(watch.run()),
                tasks.create_task(_release(lifetime.stopping, watch, changes)),
                tasks.create_task(access.prepare()),
            ]
            await serve(app, listening, lifetime.stopping)
            for task in beside:
                task.cancel()


async def _release(stopping: asyncio.Event, watch: JobWatch, changes: ChangeFeed) -> None:
    await stopping.wait()
    watch.close()
    changes.close()


def _library(
    settings: Settings, offsets: KafkaOffsets, pool: asyncpg.Pool, positions: Positions, reading: Reading
) -> Library:
    deadline_s = settings.read_deadline_s
    return Library(
        DocumentModel(pool, deadline_s), _catching_up(deadline_s, offsets, positions, DOCUMENT_EVENTS), reading
    )


def _endpoints(
    settings: Settings,
    facts: FactLog,
    offsets: KafkaOffsets,
    pool: asyncpg.Pool,
    blobs: AsyncBlobs,
    seal: Seal,
    positions: Positions,
) -> EndpointCommands:
    deadline_s = settings.read_deadline_s
    catching_up = _catching_up(deadline_s, offsets, positions, ENDPOINT_EVENTS)
    return EndpointCommands(facts, blobs, seal, pool, catching_up, deadline_s)


def _redelivery(
    settings: Settings,
    facts: FactLog,
    offsets: KafkaOffsets,
    pool: asyncpg.Pool,
    read_model: ReadModel,
    positions: Positions,
) -> Redelivery:
    deadline_s = settings.read_deadline_s
    catching_up = _catching_up(deadline_s, offsets, positions, JOB_DELIVERIES)
    return Redelivery(facts, read_model, pool, catching_up, utc_now, deadline_s)


def _catching_up(deadline_s: float, offsets: KafkaOffsets, positions: Positions, topic: Topic) -> CatchingUp:
    return CatchingUp(positions, LogEnds(offsets, deadline_s, topic), deadline_s, topic)


def _access(settings: Settings, pool: asyncpg.Pool) -> Access:
    return Access(
        pool,
        settings.key_pepper.get_secret_value(),
        settings.bootstrap_keys.get_secret_value().split(","),
        settings.key_cache_s,
        settings.read_deadline_s,
    )
