"""Answers about jobs and batches: rows of the read model, the blobs they lead to, and waiting where that is promised.

Read your writes: what is not there is only "not found" once the projector has passed what was in the log.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from pydantic_core import from_json

from piperoll.blobs import AsyncBlobs, BlobMissingError
from piperoll.domain.job import Status
from piperoll.log.record import Position
from schemas.claims import Claim
from services.api.ends import LogEnds
from services.api.errors import ReadModelUnavailableError, not_found
from services.api.positions import Positions
from services.api.read_model import ReadModel
from services.api.rows import BatchRow, JobRow
from services.api.views import Documents, batch_view, job_view
from services.api.watch import StatusWatch

T = TypeVar("T")
log = structlog.get_logger()


class Reading:
    """Reads jobs and batches of one owner at a time. Foreign ones are as good as not there (contract 14)."""

    def __init__(
        self,
        read_model: ReadModel,
        positions: Positions,
        ends: LogEnds,
        watch: StatusWatch,
        blobs: AsyncBlobs,
        deadline_s: float,
    ) -> None:
        self._read_model = read_model
        self._positions = positions
        self._ends = ends
        self._watch = watch
        self._blobs = blobs
        self._deadline_s = deadline_s

    async def job(self, job_id: str, owner: str) -> JobRow:
        """The job's row. Raises ApiError: NOT_FOUND (404), READ_MODEL_UNAVAILABLE (503)."""
        row = await self._sought(lambda: self._read_model.job(job_id))
        if row is None or row.owner != owner:
            raise not_found("job")
        return row

    async def batch(self, batch_id: str, owner: str) -> BatchRow:
        """The batch's row. Raises as `job` does."""
        row = await self._sought(lambda: self._read_model.batch(batch_id))
        if row is None or row.owner != owner:
            raise not_found("batch")
        return row

    async def after_change(self, row: JobRow, wait_s: float) -> JobRow:
        """The job at its next change of status, or as it is after `wait_s`; at once where none can follow."""
        if wait_s <= 0 or row.status.terminal:
            return row
        await self._watch.changed(row.job_id, row.position.partition, row.status, wait_s)
        return await self.job(row.job_id, row.owner)

    async def passed(self, position: Position) -> bool:
        """Waits until the projector has passed an own append; False when it did not in time."""
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._positions.passed({position.partition: position.offset + 1})
        except TimeoutError:
            return False
        return True

    async def shown_job(self, row: JobRow) -> dict[str, Any]:
        """The job as clients see it. Raises UnavailableError (503) when the blob store does not answer."""
        job = row.job
        result = job.result if job and row.status is Status.COMPLETED else None
        error = job.error if job and row.status is Status.FAILED else None
        parameters, results, details = await asyncio.gather(
            self._parameters(row), self._document(result), self._document(error)
        )
        return job_view(row, Documents(parameters, results, details))

    async def shown_batch(self, row: BatchRow) -> dict[str, Any]:
        """The batch as clients see it."""
        return batch_view(row, await self._document(row.batch.name))

    async def _parameters(self, row: JobRow) -> dict[str, Any] | None:
        """The job's own document; of a member that was not created yet, its place in the batch's specs."""
        if row.erased:
            return None
        if row.job is not None and row.job.parameters is not None:
            document: dict[str, Any] | None = await self._document(row.job.parameters)
            return document
        if row.batch is None or row.batch_index is None:
            return None
        specs = await self._document(row.batch.specs)
        return specs[row.batch_index] if specs else None

    async def _document(self, claim: Claim | None) -> Any:
        """The JSON that a claim leads to; None for no claim, and for a blob that was erased."""
        if claim is None:
            return None
        try:
            return from_json(await self._blobs.get(claim.uri))
        except BlobMissingError:
            log.info("blob_missing", uri=claim.uri)
            return None

    async def _sought(self, look: Callable[[], Awaitable[T | None]]) -> T | None:
        """What `look` finds, at the latest once the read model has caught up with the log as it ends now."""
        found = await look()
        if found is not None:
            return found
        ends = await self._ends.now()
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._positions.passed(ends)
        except TimeoutError as error:
            raise ReadModelUnavailableError("the read model has not caught up with the log yet") from error
        return await look()
