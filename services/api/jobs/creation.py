"""Creates jobs and batches once per Idempotency-Key: repeats get the answer to the first request.

A worker remembers the ids that ended for two days, so a creation that may repeat an older one has to be found in the
read model. Where that is behind or away, the fact is marked as unchecked, and the worker reads the log for the id.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from piperoll.log.record import Position, partition_of
from schemas.ids import draw_batch_id, keyed_id, member_id
from services.api.http.caller import Caller
from services.api.http.errors import ApiError, ReadModelUnavailableError, idempotency_conflict
from services.api.jobs.commands import Commands
from services.api.jobs.id_spread import IdSpread
from services.api.jobs.reading import Reading
from services.api.jobs.requests import BatchSubmission, Submission
from services.api.log.ends import LogEnds
from services.api.log.facts import Appended
from services.api.quotas.quotas import Quotas
from services.api.read_model.job_rows import Creation
from services.api.read_model.jobs import ReadModel

Kind = Literal["job", "batch"]
Append = Callable[[str, bool], Awaitable[Appended]]
"""Appends the creation of an id, unchecked or not."""

ENDS_AGE_S = 60.0  # far below the two days for which workers remember ends: any older creation is before these
BEHIND_S = 1.0  # the longest that a creation waits for a projector that is behind


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

    def __init__(
        self,
        commands: Commands,
        read_model: ReadModel,
        reading: Reading,
        ends: LogEnds,
        partitions: int,
        quotas: Quotas,
    ) -> None:
        self._commands = commands
        self._quotas = quotas
        self._read_model = read_model
        self._reading = reading
        self._ends = ends
        self._partitions = partitions
        self._spread = IdSpread(partitions)

    async def job(self, job: Submission, caller: Caller, key: str | None, admitted: bool = False) -> Created:
        """Create a job; `admitted`: `admit_with_file` has counted it. Raises ApiError: IDEMPOTENCY_CONFLICT (422),
        OUTCOME_UNKNOWN (503), STORAGE_ERROR (503), QUOTA_EXCEEDED (429), INSUFFICIENT_STORAGE (507)."""

        async def append(job_id: str, unchecked: bool) -> Appended:
            if not (unchecked or admitted):  # an unchecked one may be a repeat, and those are not refused
                await self._quotas.admit_jobs(caller.owner, 1)
            return await self._commands.create_job(job_id, job, caller, repeatable=key is not None, unchecked=unchecked)

        if key is None:
            return await _created(self._spread.draw(), append)
        return await self._keyed("job", key, caller.owner, job.body_sha256, append)

    async def batch(self, batch: BatchSubmission, caller: Caller, key: str | None) -> Created:
        """Create a batch. Raises as `job` does."""

        async def append(batch_id: str, unchecked: bool) -> Appended:
            if not unchecked:
                await self._quotas.admit_jobs(caller.owner, len(batch.jobs))
            return await self._commands.create_batch(batch_id, batch, caller, unchecked)

        if key is None:
            return await _created(draw_batch_id(), append)
        return await self._keyed("batch", key, caller.owner, batch.body_sha256, append)

    async def admit_with_file(self, caller: Caller, size: int, key: str | None) -> None:
        """Count a job and its file before the file is stored, unless the key has its job already.

        Raises ApiError: QUOTA_EXCEEDED (429), INSUFFICIENT_STORAGE (507).
        """
        try:
            await self._quotas.admit_upload(caller.owner, size)
            await self._quotas.admit_jobs(caller.owner, 1)
        except ApiError:
            if key is None or not await self._exists("job", keyed_id("job", caller.owner, key)):
                raise

    async def _exists(self, kind: Kind, subject: str) -> bool:
        try:
            first, _ = await self._look_up(kind, subject)
        except ReadModelUnavailableError:
            return True  # it may: the log decides
        return first is not None

    async def _keyed(self, kind: Kind, key: str, owner: str, body_sha256: str, append: Append) -> Created:
        """Read first, else append and read back: of two concurrent appends the first one in the log counts."""
        subject = keyed_id(kind, owner, key)
        try:
            first, certain = await self._look_up(kind, subject)
        except ReadModelUnavailableError:
            return await _created(subject, append, checked=False, unchecked=True)
        if first is None:
            created = await _created(subject, append, checked=False, unchecked=not certain)
            first = await self._read_back(kind, created)
            if first is None:
                return created
        if first.body_sha256 != body_sha256:
            raise idempotency_conflict()
        return Created(subject, first.created_at, first.position)

    async def _look_up(self, kind: Kind, subject: str) -> tuple[Creation | None, bool]:
        """The creation in the read model, and whether there can be no other one that a worker has forgotten.

        That is certain once the read model contains the log up to an end of a minute ago. Raises
        ReadModelUnavailableError while Postgres is away.
        """
        partition = partition_of(subject, self._partitions)
        first, reached = await self._read_model.creation(kind, subject, partition)
        if first is not None:
            return first, True
        try:
            end = (await self._ends.recent(ENDS_AGE_S)).get(partition, 0)
        except ReadModelUnavailableError:
            return None, False
        if reached >= end:
            return None, True
        if not await self._reading.catching_up.passed(Position(partition, end - 1), timeout_s=BEHIND_S):
            return None, False
        first, reached = await self._read_model.creation(kind, subject, partition)
        return first, first is not None or reached >= end

    async def _read_back(self, kind: Kind, created: Created) -> Creation | None:
        """Return the creation that counts; None if the read model does not answer in time."""
        if not await self._reading.catching_up.passed(created.position):
            return None
        try:
            first, _ = await self._read_model.creation(kind, created.subject, created.position.partition)
        except ReadModelUnavailableError:
            return None
        return first


async def _created(subject: str, append: Append, checked: bool = True, unchecked: bool = False) -> Created:
    fact, position = await append(subject, unchecked)
    return Created(subject, fact.time, position, checked)
