"""Creates jobs and batches once per Idempotency-Key: repeats get the answer to the first request."""

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
from services.api.log.facts import Appended
from services.api.read_model.job_rows import Creation
from services.api.read_model.jobs import ReadModel

Kind = Literal["job", "batch"]
Append = Callable[[str], Awaitable[Appended]]


@dataclass(frozen=True, slots=True)
class Created:
    """A job or batch, created now or by the first request with the key; not `checked` if the look-up failed."""

    subject: str
    created_at: datetime
    position: Position
    checked: bool = True

    @property
    def headers(self) -> dict[str, str]:
        """Return a header if a repeated key could not be compared (POST needs Kafka and blobs only)."""
        return {} if self.checked else {"Piperoll-Idempotency": "unchecked"}

    def member_ids(self, count: int) -> list[str]:
        """Return the ids of a batch's members."""
        return [member_id(self.subject, index) for index in range(count)]


class Creator:
    """Creates jobs and batches under drawn ids, or under ids that derive from owner and key."""

    def __init__(self, commands: Commands, read_model: ReadModel, reading: Reading, spread: IdSpread) -> None:
        self._commands = commands
        self._read_model = read_model
        self._reading = reading
        self._spread = spread

    async def job(self, job: Submission, caller: Caller, key: str | None) -> Created:
        """Create a job. Raises ApiError: IDEMPOTENCY_CONFLICT (422), OUTCOME_UNKNOWN (503), STORAGE_ERROR (503)."""

        def append(job_id: str) -> Awaitable[Appended]:
            return self._commands.create_job(job_id, job, caller, repeatable=key is not None)

        if key is None:
            return await _created(self._spread.draw(), append)
        return await self._keyed("job", key, caller.owner, job.body_sha256, append)

    async def batch(self, batch: BatchSubmission, caller: Caller, key: str | None) -> Created:
        """Create a batch. Raises as `job` does."""

        def append(batch_id: str) -> Awaitable[Appended]:
            return self._commands.create_batch(batch_id, batch, caller)

        if key is None:
            return await _created(draw_batch_id(), append)
        return await self._keyed("batch", key, caller.owner, batch.body_sha256, append)

    async def _keyed(self, kind: Kind, key: str, owner: str, body_sha256: str, append: Append) -> Created:
        """Read first, else append and read back: of two concurrent appends the first one in the log counts."""
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
        if first.body_sha256 != body_sha256:
            raise idempotency_conflict()
        return Created(subject, first.created_at, first.position)

    async def _read_back(self, kind: Kind, created: Created) -> Creation | None:
        """Return the creation that counts; None if the read model does not answer in time."""
        if not await self._reading.catching_up.passed(created.position):
            return None
        try:
            return await self._read_model.creation(kind, created.subject)
        except ReadModelUnavailableError:
            return None


async def _created(subject: str, append: Append, checked: bool = True) -> Created:
    fact, position = await append(subject)
    return Created(subject, fact.time, position, checked)
