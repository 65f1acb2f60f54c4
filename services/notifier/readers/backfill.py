"""Brings a new endpoint to where the intake stands, so that it misses nothing that was appended after it registered.

The intake may have read job facts that stand after a registration before the registration itself was read: they are
in different topics. And a job may run already. So the job events of the owner are read once more, up to the intake's
checkpoints, which are held for the last stretch; from there on the intake knows the endpoint.
"""

from collections.abc import Mapping
from contextlib import aclosing
from datetime import timedelta

from aiokafka.errors import KafkaError

from piperoll.clock import Clock
from schemas.envelope import UndecodableRecordError
from schemas.topics import JOB_EVENTS
from services.notifier.checkpoints import Checkpoints, LogView
from services.notifier.delivery.wakeup import Bell
from services.notifier.hooks.queue import Connection
from services.notifier.notices.changes import Endpoint, Following, owner_of
from services.notifier.notices.queue import add_endpoint, save_following

LOOK_BACK = timedelta(days=1)  # jobs created earlier and still open at a registration are not told of


class LogAwayError(TimeoutError):
    """The log does not answer; another attempt may help."""


class Joining:
    """Reads what a new endpoint missed. `positions` are the intake's checkpoints."""

    def __init__(self, view: LogView, positions: Checkpoints, bell: Bell, max_age_s: float, clock: Clock) -> None:
        self._view = view
        self._positions = positions
        self._bell = bell
        self._max_age = timedelta(seconds=max_age_s)
        self._clock = clock

    async def read(self, endpoint: Endpoint) -> tuple[Following, Mapping[int, int]]:
        """The owner's jobs up to about where the intake stands; holds nobody up. Raises LogAwayError."""
        found = Following([endpoint], {}, self._clock() - self._max_age)
        try:
            begin = await self._view.offsets_at(JOB_EVENTS, endpoint.since - LOOK_BACK)
            reached = await self._positions.reached()
        except KafkaError as error:
            raise LogAwayError(f"Kafka does not answer: {error!r}") from error
        await self._take(found, begin, reached)
        return found, {part: max(offset, begin[part]) for part, offset in reached.items()}

    async def join(self, connection: Connection, endpoint: Endpoint, found: Following, read: Mapping[int, int]) -> None:
        """The rest, while the intake is held; it knows the endpoint once the transaction commits."""
        held = await self._positions.hold(connection)
        await self._take(found, dict(read), held)
        await add_endpoint(connection, endpoint)
        await save_following(connection, found)

    def announce(self, found: Following) -> None:
        """Wakes the dispatcher, after the commit."""
        self._bell.ring(found.origins)

    async def _take(self, found: Following, begin: dict[int, int], end: dict[int, int]) -> None:
        try:
            async with aclosing(self._view.scan(JOB_EVENTS, begin, end)) as polls:
                async for records in polls:
                    for record in records:
                        if not found.concerns(owner_of(record)):
                            continue
                        try:
                            found.take(record.fact())
                        except UndecodableRecordError:
                            continue  # the intake parks it
        except KafkaError as error:
            raise LogAwayError(f"Kafka does not answer: {error!r}") from error
