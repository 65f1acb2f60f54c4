"""Reads the endpoint events: who is told from now on, who no more, and trials. One transaction a fact."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

import asyncpg
import structlog
from pydantic import ValidationError

from piperoll.clock import Clock
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.record import Record
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from piperoll.webhooks.origins import origin_of
from schemas.documents import EndpointSettings
from schemas.envelope import Fact, UndecodableRecordError
from schemas.events import EndpointRegistered, EndpointRemoved, EndpointTested
from schemas.ids import trial_id
from services.notifier.checkpoints import Checkpoints
from services.notifier.delivery.wakeup import Bell
from services.notifier.hooks.queue import Connection
from services.notifier.notices.changes import Change, Endpoint
from services.notifier.notices.queue import add_trial, end_endpoint, forget_followed
from services.notifier.outages import until_done
from services.notifier.readers.backfill import Joining

log = structlog.get_logger()

GROUP = "piperoll.notifier.endpoints"
TRIAL_MAX_AGE = timedelta(minutes=10)  # nobody waits for an older one; so a lost schema sends no old trials


class Endpoints:
    """The Reader (piperoll.log.contract) of the endpoint events."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        checkpoints: Checkpoints,
        joining: Joining,
        blobs: AsyncBlobs,
        dead_letters: DeadLetters,
        bell: Bell,
        stopping: asyncio.Event,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._checkpoints = checkpoints
        self._joining = joining
        self._blobs = blobs
        self._dead_letters = dead_letters
        self._bell = bell
        self._stopping = stopping
        self._clock = clock

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Goes on where the checkpoints stand; at the beginning of the log where there is none."""
        return await self._checkpoints.take(partitions)

    async def revoked(self, partitions: set[int]) -> None:
        """Nothing is kept but the checkpoints."""

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Takes in one partition's poll; waits for the stores and the log as long as they are away."""
        for record in records:
            await until_done("endpoint events", partial(self._take_in, record), self._stopping)

    async def _take_in(self, record: Record) -> None:
        try:
            fact = record.fact()
        except UndecodableRecordError as error:
            await self._park(record, str(error))
            return
        match fact.data:
            case EndpointRegistered():
                await self._register(record, fact, fact.data)
            case EndpointTested():
                await self._try(record, fact)
            case EndpointRemoved():
                await self._remove(record, fact)
            case _:
                await self._park(record, f"{fact.data.type_name()} does not belong into this topic")

    async def _register(self, record: Record, fact: Fact, data: EndpointRegistered) -> None:
        try:
            settings = EndpointSettings.model_validate_json(await self._blobs.get(data.settings.uri))
            origin = origin_of(settings.url)
        except BlobMissingError:
            log.info("endpoint_settings_gone", endpoint_id=fact.subject)  # it was removed meanwhile
            await self._pass(record)
            return
        except (ValidationError, ValueError):
            await self._park(record, "the endpoint's settings cannot be read")  # the error would show its secrets
            return
        endpoint = Endpoint(
            fact.subject,
            fact.owner,
            origin,
            settings.url,
            settings.token,
            settings.secret,
            frozenset(data.statuses),
            fact.known_at,
        )
        found, read = await self._joining.read(endpoint)
        async with self._pool.acquire() as connection, connection.transaction():
            if not await self._fresh(connection, record):
                return
            await self._joining.join(connection, endpoint, found, read)
            await self._checkpoints.advance(connection, record)
        self._joining.announce(found)

    async def _try(self, record: Record, fact: Fact) -> None:
        change = Change(number=1, status="PENDING", at=fact.known_at, trial=True)
        origin = None
        async with self._pool.acquire() as connection, connection.transaction():
            if not await self._fresh(connection, record):
                return
            if self._clock() - fact.known_at < TRIAL_MAX_AGE:
                origin = await add_trial(connection, fact.subject, trial_id(fact.id), change)
            await self._checkpoints.advance(connection, record)
        self._bell.ring([origin] if origin else [])

    async def _remove(self, record: Record, fact: Fact) -> None:
        await self._blobs.delete_folder(f"endpoints/{fact.subject}")
        async with self._pool.acquire() as connection, connection.transaction():
            if not await self._fresh(connection, record):
                return
            await end_endpoint(connection, fact.subject, "removed", self._clock())
            await forget_followed(connection, fact.owner)
            await self._checkpoints.advance(connection, record)

    async def _park(self, record: Record, why: str) -> None:
        await self._dead_letters.park(GROUP, record, why)
        await self._pass(record)

    async def _pass(self, record: Record) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if await self._fresh(connection, record):
                await self._checkpoints.advance(connection, record)

    async def _fresh(self, connection: Connection, record: Record) -> bool:
        """Whether nobody has accounted for the record yet; locks its partition until the transaction ends."""
        return record.offset >= await self._checkpoints.lock(connection, record.partition)
