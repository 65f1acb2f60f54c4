"""Reads the job events into the queue. Sends nothing."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from piperoll.claimed_content import ClaimedContent
from piperoll.clock import Clock, utc_now
from piperoll.log.parking import Parking, decode
from piperoll.log.record import Record
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobUnreadableError
from schemas.envelope import Fact
from schemas.events import BATCH_EVENTS, JOB_EVENTS, JobCancelled, JobCreated, JobErased
from services.notifier.checkpoints import TopicCheckpoints
from services.notifier.delivery.wakeup import Wakeup
from services.notifier.hooks.fold import Tracked, follow
from services.notifier.hooks.rows import load_jobs, save_jobs
from services.notifier.hooks.webhook import JobWebhook, UnreadableWebhookError, parse_webhook
from services.notifier.notices.changes import Following, owner_of
from services.notifier.notices.queue import following, save_following
from services.notifier.outbox import Connection
from services.notifier.readers.topic_reader import NotifierTopicReader, ReaderContext

CREATED = JobCreated.type_name()
BATCH = frozenset(event.type_name() for event in BATCH_EVENTS)
CONTINUATIONS = frozenset(
    event.type_name() for event in JOB_EVENTS if event not in (JobCreated, JobCancelled, JobErased)
)
"""Facts that cannot begin a row: for a job without one they are skipped undecoded."""

Webhooks = Mapping[int, JobWebhook | UnreadableWebhookError | None]
"""The webhooks of JobCreated records, by offset; None if the parameters were erased."""


@dataclass(slots=True)
class _Poll:
    """One partition's poll, before it is written. `following` are the jobs of owners with endpoints."""

    parking: Parking
    tracked: dict[str, Tracked]
    webhooks: Webhooks
    oldest: datetime
    following: Following
    touched: dict[str, Tracked] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Fold one record, or park it."""
        job_id, kind = record.key_text, record.ce_type
        if self.parking.passes(record):
            return
        hooked = kind not in CONTINUATIONS or job_id in self.tracked
        followed = self.following.concerns(owner_of(record))
        if kind in BATCH or not (hooked or followed):
            return
        fact = self.parking.admit(decode(record))
        if fact is None:
            return
        webhook = self.webhooks.get(record.offset)
        if isinstance(webhook, UnreadableWebhookError):
            self.parking.park(record, str(webhook))
            return
        if followed:
            self.following.take(fact)
        if hooked:
            before = self.tracked.get(job_id)
            after = follow(before, fact, webhook, self.oldest)
            if after is not None and after is not before:
                self.tracked[job_id] = self.touched[job_id] = after


class JobEventsReader(NotifierTopicReader[Webhooks]):
    """The Reader (piperoll.log.contract) of the job events."""

    group = "piperoll.notifier"

    def __init__(
        self,
        context: ReaderContext,
        checkpoints: TopicCheckpoints,
        blobs: AsyncBlobs,
        wakeup: Wakeup,
        notice_wakeup: Wakeup,
        max_age_s: float,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(context, checkpoints)
        self._contents = ClaimedContent(blobs, self.outage)
        self._wakeup = wakeup
        self._notice_wakeup = notice_wakeup
        self._max_age = timedelta(seconds=max_age_s)
        self._clock = clock

    async def _read(self, records: Sequence[Record]) -> Webhooks:
        """Read the webhooks of the poll's new jobs from the blob store, concurrently."""
        created = [fact_at for record in records if record.ce_type == CREATED for fact_at in _with_webhook(record)]
        found = await asyncio.gather(*(self._fetch_webhook(fact) for _, fact in created))
        return {offset: webhook for (offset, _), webhook in zip(created, found, strict=True)}

    async def _fetch_webhook(self, fact: Fact) -> JobWebhook | UnreadableWebhookError | None:
        """None if the parameters were erased: then nothing is sent."""
        assert isinstance(fact.data, JobCreated)
        try:
            return parse_webhook(await self._contents.get(fact.data.parameters), fact.subject)
        except BlobMissingError:
            return None
        except BlobUnreadableError as error:
            return UnreadableWebhookError(f"the webhook of {fact.subject} cannot be read: {error}")
        except UnreadableWebhookError as error:
            return error

    async def _write(
        self, connection: Connection, partition: int, records: Sequence[Record], parking: Parking, found: Webhooks
    ) -> Callable[[], None]:
        touching = {record.key_text for record in records if record.ce_type not in BATCH}
        known = await load_jobs(connection, touching)
        oldest = self._clock() - self._max_age
        followed = await following(connection, {owner_of(record) for record in records}, touching, oldest)
        poll = _Poll(parking, known, found, oldest, followed)
        for record in records:
            poll.take(record)
        await save_jobs(connection, partition, poll.touched)
        await save_following(connection, poll.following)
        return lambda: self._announce(poll)

    def _announce(self, poll: _Poll) -> None:
        """Wake the dispatchers of this process for receivers with something due."""
        touched = poll.touched.values()
        self._wakeup.hint({receiver for tracked in touched if tracked.due and (receiver := tracked.receiver)})
        self._notice_wakeup.hint(poll.following.receivers)


def _with_webhook(record: Record) -> list[tuple[int, Fact]]:
    """The offset and fact of a JobCreated with a webhook; an undecodable record is parked when it is folded."""
    fact = decode(record).fact
    found = fact is not None and isinstance(fact.data, JobCreated) and fact.data.has_webhook
    return [(record.offset, fact)] if found and fact is not None else []
