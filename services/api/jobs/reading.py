"""Answers about jobs and batches: rows of the read model, the blobs they lead to, and waiting where that is promised.

Read your writes: what is not there is only "not found" once the projector has passed what was in the log; what can
be no id, at once.
"""

import asyncio
import re
from typing import Any

from piperoll.domain.job import Status
from piperoll.log.record import Position
from services.api.http.errors import ReadModelUnavailableError, not_found
from services.api.jobs.views import JobContents, job_view
from services.api.jobs.watch import Awaited, JobWatch
from services.api.read_model.catching_up import CatchingUp
from services.api.read_model.contents import Contents
from services.api.read_model.job_rows import BatchRow, JobRow
from services.api.read_model.jobs import ReadModel

_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_JOB_ID = re.compile(f"job-{_UUID}")
_BATCH_ID = re.compile(f"batch-{_UUID}")


class Reading:
    """Reads jobs and batches of one owner at a time. Foreign and erased ones are not found (contract 14 and 16)."""

    def __init__(self, read_model: ReadModel, catching_up: CatchingUp, watch: JobWatch, contents: Contents) -> None:
        self._read_model = read_model
        self._catching_up = catching_up
        self._watch = watch
        self._contents = contents

    async def job(self, job_id: str, owner: str) -> JobRow:
        """The job's row. Raises ApiError: NOT_FOUND (404), READ_MODEL_UNAVAILABLE (503)."""
        if not _JOB_ID.fullmatch(job_id):
            raise not_found("job")
        row = await self._catching_up.sought(lambda: self._read_model.job(job_id))
        if row is None or row.owner != owner or row.erased:
            raise not_found("job")
        return row

    async def batch(self, batch_id: str, owner: str) -> BatchRow:
        """The batch's row. Raises as `job` does."""
        if not _BATCH_ID.fullmatch(batch_id):
            raise not_found("batch")
        row = await self._catching_up.sought(lambda: self._read_model.batch(batch_id))
        if row is None or row.owner != owner or row.batch.erased:
            raise not_found("batch")
        return row

    async def after_change(self, row: JobRow, wait_s: float) -> JobRow:
        """The job at its next change of status, or as it is after `wait_s`; at once where none can follow."""
        if wait_s <= 0 or row.status.terminal:
            return row
        return await self._after(row, lambda now: now.status is not row.status, wait_s)

    async def after_fact(self, row: JobRow, wait_s: float) -> JobRow:
        """The job after its next fact, or as it is after `wait_s`."""
        return await self._after(row, lambda now: now != row.standing, wait_s)

    async def after_end(self, row: JobRow, wait_s: float) -> JobRow:
        """The job once it has ended, or as it is after `wait_s`."""
        if row.status.terminal:
            return row
        return await self._after(row, lambda now: now.status.terminal, wait_s)

    @property
    def closed(self) -> bool:
        """Whether the service stops: what waits for changes should end."""
        return self._watch.closed

    async def passed(self, *positions: Position) -> bool:
        """Waits until the projector has passed own appends; False when it did not in time."""
        return await self._catching_up.passed(*positions)

    async def caught_up(self, at_most_s: float) -> bool:
        """Waits until what is in the log now was projected; False when that took longer or is unknown."""
        return await self._catching_up.within(at_most_s)

    async def shown_job(self, row: JobRow) -> dict[str, Any]:
        """The job as clients see it. Raises UnavailableError (503) when the blob store does not answer."""
        return job_view(row, await self.documents(row))

    async def documents(self, row: JobRow) -> JobContents:
        """What the job's claims lead to: a result only of a completed job, an error only of a failed one."""
        job = row.job
        result = job.result if job and row.status is Status.COMPLETED else None
        error = job.error if job and row.status is Status.FAILED else None
        parameters, results, details = await asyncio.gather(
            self._contents.parameters(row), self._contents.document(result), self._contents.document(error)
        )
        return JobContents(parameters, results, details)

    async def ended(self, job_id: str, owner: str, wait_s: float) -> JobRow | None:
        """The job if it ends within the time; None while it runs, and where the read model does not answer."""
        try:
            row = await self.after_end(await self.job(job_id, owner), wait_s)
        except ReadModelUnavailableError:
            return None
        return row if row.status.terminal else None

    async def _after(self, row: JobRow, awaited: Awaited, wait_s: float) -> JobRow:
        await self._watch.until(row.job_id, row.position.partition, awaited, wait_s)
        return await self.job(row.job_id, row.owner)
