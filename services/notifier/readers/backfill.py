"""Brings a new endpoint up to the job reader's position, so that it misses nothing appended after it registered.

The job reader may have read later facts before the registration was read, because they are in different topics; and a
job may already be running. So the job events of the owner are read once more, up to the job reader's checkpoints,
which are locked for the last part; from there on the job reader knows the endpoint.
"""

from collections.abc import Mapping
from contextlib import aclosing
from datetime import timedelta

from aiokafka.errors import KafkaError

from piperoll.clock import Clock
from piperoll.log.contract import LogView
from piperoll.log.parking import Parking, decode_accounted
from schemas.topics import JOB_EVENTS
from services.notifier.checkpoints import TopicCheckpoints
from services.notifier.notices.changes import Following, RegisteredEndpoint, owner_of
from services.notifier.notices.queue import add_endpoint, save_following
from services.notifier.outbox import Connection

LOOK_BACK = timedelta(days=1)  # jobs created earlier and still open at a registration are left out


class LogAwayError(TimeoutError):
    """The log is unavailable; another attempt may succeed."""


class Backfill:
    """Reads the earlier facts for a new endpoint. `positions` are the job reader's checkpoints."""

    def __init__(self, view: LogView, positions: TopicCheckpoints, max_age_s: float, clock: Clock) -> None:
        self._view = view
        self._positions = positions
        self._max_age = timedelta(seconds=max_age_s)
        self._clock = clock

    async def read(self, endpoint: RegisteredEndpoint) -> tuple[Following, Mapping[int, int]]:
        """The owner's jobs up to about the job reader's position, without locks. Raises LogAwayError."""
        found = Following([endpoint], {}, self._clock() - self._max_age)
        try:
            begin = await self._view.offsets_at(JOB_EVENTS, endpoint.since - LOOK_BACK)
            reached = await self._positions.reached()
        except KafkaError as error:
            raise LogAwayError(f"Kafka does not answer: {error!r}") from error
        await self._take(found, begin, reached)
        return found, {part: max(offset, begin[part]) for part, offset in reached.items()}

    async def join(
        self, connection: Connection, endpoint: RegisteredEndpoint, found: Following, read: Mapping[int, int]
    ) -> None:
        """Read the rest while the job reader is locked out; it knows the endpoint once the transaction commits."""
        held = await self._positions.hold(connection)
        await self._take(found, dict(read), held)
        await add_endpoint(connection, endpoint)
        await save_following(connection, found)

    async def _take(self, found: Following, begin: dict[int, int], end: dict[int, int]) -> None:
        try:
            async with aclosing(self._view.scan(JOB_EVENTS, begin, end)) as polls:
                parking = Parking()  # the reader of the job events sends the dead letters
                async for records in polls:
                    concerned = (decode_accounted(record) for record in records if found.concerns(owner_of(record)))
                    for fact, _ in parking.sift(concerned):
                        found.take(fact)
        except KafkaError as error:
            raise LogAwayError(f"Kafka does not answer: {error!r}") from error
