"""Creates jobs and batches once: with an Idempotency-Key the first request counts, and repeats get its answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from piperoll.log.record import Position
from schemas.ids import draw_batch_id, keyed_id, member_id
from services.api.http.caller import Caller
from services.api.http.errors import ReadModelUnavailableError, idempotency_conflict
from services.api.jobs.commands import Commands
from services.api.jobs.id_spread import IdSpread
from services.api.jobs.reading import Reading
from services.api.jobs.requests import BatchSubmission, Submission
from services.api.read_model.job_rows import Creation
from services.api.read_model.jobs import ReadModel

Kind = Literal["job", "batch"]
Append = Callable[[str], Awaitable[tuple[datetime, Position]]]


@dataclass(frozen=True, slots=True)
class Created:
    """What was created, now or by the first request with the key; not `checked` when that could not be looked up."""

    subject: str
    created_at: datetime
    position: Position
    checked: bool = True

    @property
    def headers(self) -> dict[str, str]:
        """A header where a repeated key could not be compared (design: POST needs Kafka and blobs only)."""
        return {} if self.checked else {"Piperoll-Idempotency": "unchecked"}

    def member_ids(self, count: int) -> list[str]:
        """The ids of a batch's members."""
        return [member_id(self.subject, index) for index in range(count)]


class Creator:
    """Creates under drawn ids, or under ids that follow from owner and key."""

    def __init__(self, commands: Commands, read_model: ReadModel, reading: Reading, spread: IdSpread) -> None:
        self._commands = commands
        self._read_model = read_model
        self._reading = reading
        self._spread = spread

    async def job(self, job: Submission, caller: Caller, key: str | None) -> Created:
        """Raises ApiError: IDEMPOTENCY_CONFLICT (422), OUTCOME_UNKNOWN (503), STORAGE_ERROR (503)."""

        def append(job_id: str) -> Awaitable[tuple[datetime, Position]]:
            return self._commands.create_job(job_id, job, caller, repeatable=key is not None)

        if key is None:
            return await _created(self._spread.draw(), append)
        return await self._keyed("job", key, caller.owner, job.body_sha256, append)

    async def batch(self, batch: BatchSubmission, caller: Caller, key: str | None) -> Created:
        """Raises as `job` does."""

        def append(batch_id: str) -> Awaitable[tuple[datetime, Position]]:
            return self._commands.create_batch(batch_id, batch, caller)

        if key is None:
            return await _created(draw_batch_id(), append)
        return await self._keyed("batch", key, caller.owner, batch.body_sha256, append)

    async def _keyed(self, kind: Kind, key: str, owner: str, body_sha256: str, append: Append) -> Created:
        """Reads first, else appends and reads back: two at a time may both append, and the log's first one counts."""
        subject = keyed_id(kind, owner, key)
        try:
            first = await self._read_model.creation(kind, subject)
        except ReadModelUnavailableError:
            return await _created(subject, append, checked=False)
        if first is None:
            created = await _created(subject, append, checked=False)
            first = await self._read_back(kind, created)
            if first is None:
                return created
        return _judged(subject, first, body_sha256)

    async def _read_back(self, kind: Kind, created: Created) -> Creation | None:
        """The creation that counts, or None when the read model does not answer in time."""
        if not await self._reading.passed(created.position):
            return None
        try:
            return await self._read_model.creation(kind, created.subject)
        except ReadModelUnavailableError:
            return None


async def _created(subject: str, append: Append, checked: bool = True) -> Created:
    created_at, position = await append(subject)
    return Created(subject, created_at, position, checked)


def _judged(subject: str, first: Creation, body_sha256: str) -> Created:
    if first.body_sha256 != body_sha256:
        raise idempotency_conflict()
    return Created(subject, first.created_at, first.position)
