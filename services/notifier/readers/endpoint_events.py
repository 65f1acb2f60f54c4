"""Reads the endpoint events: registrations, removals and trials. One transaction per fact."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from piperoll.claimed_content import ClaimedContent
from piperoll.clock import Clock
from piperoll.log.parking import Parking, decode
from piperoll.log.record import Record
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobUnreadableError
from piperoll.webhooks.origins import origin_of
from schemas.documents import EndpointSettings
from schemas.envelope import Fact
from schemas.events import EndpointRegistered, EndpointRemoved, EndpointTested
from schemas.ids import trial_id
from services.notifier.checkpoints import TopicCheckpoints
from services.notifier.delivery.due_receivers import ReceiverKey
from services.notifier.delivery.wakeup import Wakeup
from services.notifier.notices.changes import Change, Following, RegisteredEndpoint
from services.notifier.notices.queue import add_trial, end_endpoint, forget_followed
from services.notifier.outbox import Connection
from services.notifier.readers.backfill import Backfill
from services.notifier.readers.topic_reader import NotifierTopicReader, ReaderContext

log = structlog.get_logger()

TRIAL_MAX_AGE = timedelta(minutes=10)  # older ones are useless; so no old trials are sent after a loss of the schema


@dataclass(frozen=True, slots=True)
class _Registration:
    """A registered endpoint, and the due changes of its jobs up to their last read."""

    endpoint: RegisteredEndpoint
    due: Following
    read: Mapping[int, int]


class EndpointEventsReader(NotifierTopicReader[_Registration | str | None]):
    """The Reader (piperoll.log.contract) of the endpoint events."""

    group = "piperoll.notifier.endpoints"

    def __init__(
        self,
        context: ReaderContext,
        checkpoints: TopicCheckpoints,
        backfill: Backfill,
        blobs: AsyncBlobs,
        wakeup: Wakeup,
        clock: Clock,
    ) -> None:
        super().__init__(context, checkpoints)
        self._backfill = backfill
        self._blobs = blobs
        self._contents = ClaimedContent(blobs, self.outage)
        self._wakeup = wakeup
        self._clock = clock

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Handle one partition's poll, a record at a time."""
        for record in records:
            await super().handle(partition, [record])

    async def _read(self, records: Sequence[Record]) -> _Registration | str | None:
        """A registration with its earlier changes, or an error in it. Erases the settings of a removed endpoint."""
        (record,) = records
        fact = decode(record).fact
        if fact is None or isinstance(fact.data, EndpointTested):
            return None
        if isinstance(fact.data, EndpointRemoved):
            await self._blobs.delete_folder(f"endpoints/{fact.subject}")
        if not isinstance(fact.data, EndpointRegistered):
            return None
        try:
            endpoint = _endpoint(fact, fact.data, await self._contents.get(fact.data.settings))
        except BlobMissingError:
            log.info("endpoint_settings_gone", endpoint_id=fact.subject)  # it was removed meanwhile
            return None
        except BlobUnreadableError as error:
            return f"the endpoint's settings cannot be read: {error}"
        except ValueError:
            return "the endpoint's settings cannot be read"  # the error would show its secrets
        return _Registration(endpoint, *await self._backfill.read(endpoint))

    async def _write(
        self,
        connection: Connection,
        partition: int,
        records: Sequence[Record],
        parking: Parking,
        found: _Registration | str | None,
    ) -> Callable[[], None]:
        (record,) = records
        receivers: set[ReceiverKey] = set()
        match parking.admit(decode(record)):
            case Fact(data=EndpointRegistered()):
                if isinstance(found, str):
                    parking.park(record, found)
                elif found is not None:
                    await self._backfill.join(connection, found.endpoint, found.due, found.read)
                    receivers = found.due.receivers
            case Fact(data=EndpointTested()) as fact:
                receivers = await self._try(connection, fact)
            case Fact(data=EndpointRemoved()) as fact:
                await end_endpoint(connection, fact.subject, "removed", self._clock())
                await forget_followed(connection, fact.owner)
            case Fact(data=other):
                parking.park(record, f"{other.type_name()} does not belong to this topic")
        return lambda: self._wakeup.hint(receivers)

    async def _try(self, connection: Connection, fact: Fact) -> set[ReceiverKey]:
        if self._clock() - fact.known_at >= TRIAL_MAX_AGE:
            return set()
        change = Change(number=1, status="PENDING", at=fact.known_at, trial=True)
        receiver = await add_trial(connection, fact.subject, trial_id(fact.id), change)
        return {receiver} if receiver else set()


def _endpoint(fact: Fact, data: EndpointRegistered, content: bytes) -> RegisteredEndpoint:
    """The endpoint of a registration with its settings. Raises ValueError."""
    settings = EndpointSettings.model_validate_json(content)
    return RegisteredEndpoint(
        endpoint_id=fact.subject,
        owner=fact.owner,
        origin=origin_of(settings.url),
        url=settings.url,
        token=settings.token,
        secret=settings.secret,
        statuses=frozenset(data.statuses),
        since=fact.known_at,
    )
