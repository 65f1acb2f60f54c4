"""Reads the job events into the queue: rows and checkpoint in one transaction. Sends nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from piperoll.clock import Clock, utc_now
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.record import Record
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from schemas.envelope import Fact, UndecodableRecordError
from schemas.events import BATCH_EVENTS, JOB_EVENTS, JobCancelled, JobCreated, JobErased
from services.notifier.checkpoints import Checkpoints
from services.notifier.delivery.wakeup import Bell
from services.notifier.hooks.fold import Tracked, follow
from services.notifier.hooks.queue import SQL, Connection
from services.notifier.hooks.rows import load_jobs, save_jobs
from services.notifier.hooks.webhook import UnreadableWebhookError, Webhook, parse_webhook
from services.notifier.notices.changes import Following, owner_of
from services.notifier.notices.queue import following, save_following
from services.notifier.outages import until_done

GROUP = "piperoll.notifier"

CREATED = JobCreated.type_name().encode()
BATCH = frozenset(event.type_name().encode() for event in BATCH_EVENTS)
CONTINUATIONS = frozenset(
    event.type_name().encode() for event in JOB_EVENTS if event not in (JobCreated, JobCancelled, JobErased)
)
"""Facts that cannot begin a row: about a job that has none they are passed over undecoded."""


@dataclass(slots=True)
class _Poll:
    """One partition's poll on its way into the queue.

    `hooks` has what JobCreated records name, by offset; `following` the jobs of owners who have endpoints.
    """

    partition: int
    parked: set[str]
    tracked: dict[str, Tracked]
    hooks: Mapping[int, Webhook | UnreadableWebhookError | None]
    oldest: datetime
    following: Following
    touched: dict[str, Tracked] = field(default_factory=dict)


class Intake:
    """The Reader (piperoll.log.contract) of the job events."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        checkpoints: Checkpoints,
        blobs: AsyncBlobs,
        dead_letters: DeadLetters,
        bell: Bell,
        notice_bell: Bell,
        stopping: asyncio.Event,
        max_age_s: float,
        clock: Clock = utc_now,
    ) -> None:
        self._pool = pool
        self._checkpoints = checkpoints
        self._blobs = blobs
        self._dead_letters = dead_letters
        self._bell = bell
        self._notice_bell = notice_bell
        self._stopping = stopping
        self._max_age = timedelta(seconds=max_age_s)
        self._clock = clock
        self._parked: dict[int, set[str]] = {}

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Goes on where the checkpoints stand; at the beginning of the log where there is none."""
        starts = await self._checkpoints.take(partitions)
        for part in partitions:
            rows = await self._pool.fetch(SQL["parked_jobs"], [part])
            self._parked[part] = {row["job_id"] for row in rows}
        return starts

    async def revoked(self, partitions: set[int]) -> None:
        """Nothing is kept of a partition but its checkpoint, which is written."""
        for part in partitions:
            self._parked.pop(part, None)

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Takes in one partition's poll; waits for Postgres and the blob store as long as they are away."""
        await until_done("job events", lambda: self._take_in(partition, records), self._stopping)

    async def _take_in(self, partition: int, records: Sequence[Record]) -> None:
        hooks = await self._fetch_hooks(records)
        async with self._pool.acquire() as connection, connection.transaction():
            start = await self._checkpoints.lock(connection, partition)
            fresh = [record for record in records if record.offset >= start]
            if not fresh:
                return  # another process had the partition meanwhile
            touching = {_key(record) for record in fresh if _type(record) not in BATCH}
            known = await load_jobs(connection, touching)
            oldest = self._clock() - self._max_age
            followed = await following(connection, {owner_of(record) for record in fresh}, touching, oldest)
            poll = _Poll(partition, set(self._parked[partition]), known, hooks, oldest, followed)
            for record in fresh:
                await self._follow(connection, poll, record)
            await save_jobs(connection, partition, poll.touched)
            await save_following(connection, poll.following)
            await self._checkpoints.advance(connection, fresh[-1])
        self._parked[partition] = poll.parked
        self._announce(poll)

    async def _follow(self, connection: Connection, poll: _Poll, record: Record) -> None:
        """Folds one record into the poll, or parks it."""
        job_id, kind = _key(record), _type(record)
        if job_id in poll.parked:
            await self._dead_letters.park(GROUP, record, "an earlier record of this job could not be decoded")
            return
        hooked = kind not in CONTINUATIONS or job_id in poll.tracked
        followed = poll.following.concerns(owner_of(record))
        if kind in BATCH or not (hooked or followed):
            return
        hook = poll.hooks.get(record.offset)
        try:
            if isinstance(hook, UnreadableWebhookError):
                raise hook
            fact = record.fact()
        except (UndecodableRecordError, UnreadableWebhookError) as error:
            await self._park(connection, poll, record, str(error))
            return
        if followed:
            poll.following.take(fact)
        if hooked:
            before = poll.tracked.get(job_id)
            after = follow(before, fact, hook, poll.oldest)
            if after is not None and after is not before:
                poll.tracked[job_id] = poll.touched[job_id] = after

    async def _park(self, connection: Connection, poll: _Poll, record: Record, why: str) -> None:
        await self._dead_letters.park(GROUP, record, why)
        if record.key is not None:
            await connection.execute(SQL["park_job"], _key(record), poll.partition, record.offset)
            poll.parked.add(_key(record))

    async def _fetch_hooks(self, records: Sequence[Record]) -> dict[int, Webhook | UnreadableWebhookError | None]:
        """The webhooks that the poll's new jobs name, read from the blob store all at once."""
        created = [fact_at for record in records if _type(record) == CREATED for fact_at in _with_webhook(record)]
        hooks = await asyncio.gather(*(self._fetch_hook(fact) for _, fact in created))
        return {offset: hook for (offset, _), hook in zip(created, hooks, strict=True)}

    async def _fetch_hook(self, fact: Fact) -> Webhook | UnreadableWebhookError | None:
        """None when the parameters were erased: then nobody is to be told. Raises BlobStoreError."""
        assert isinstance(fact.data, JobCreated)
        try:
            return parse_webhook(await self._blobs.get(fact.data.parameters.uri), fact.subject)
        except BlobMissingError:
            return None
        except UnreadableWebhookError as error:
            return error

    def _announce(self, poll: _Poll) -> None:
        """Tells the dispatchers of this process which receivers have something due."""
        touched = poll.touched.values()
        self._bell.ring({tracked.webhook.origin for tracked in touched if tracked.due and tracked.webhook})
        self._notice_bell.ring(poll.following.origins)


def _key(record: Record) -> str:
    return (record.key or b"").decode(errors="replace")


def _type(record: Record) -> bytes:
    for name, value in record.headers:
        if name == "ce_type":
            return value
    return b""


def _with_webhook(record: Record) -> list[tuple[int, Fact]]:
    """The offset and fact of a JobCreated that has a webhook; what cannot be decoded is parked when it is folded."""
    try:
        fact = record.fact()
    except UndecodableRecordError:
        return []
    return [(record.offset, fact)] if isinstance(fact.data, JobCreated) and fact.data.has_webhook else []
