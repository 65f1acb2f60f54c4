"""Reads jobs and batches: rows of the read model, the contents of their claims, and waiting for changes.

Clients read their own writes: a job is only "not found" once the projector has caught up with the log. A text that
cannot be an id is "not found" at once.
"""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import Any

from piperoll.domain.job import Status
from schemas.ids import is_id
from services.api.http.errors import ReadModelUnavailableError, not_found
from services.api.jobs.views import JobContents, job_view
from services.api.jobs.watch import Awaited, JobWatch
from services.api.outlook.observing import Observer
from services.api.outlook.views import Outlook
from services.api.read_model.catching_up import CatchingUp
from services.api.read_model.contents import Contents
from services.api.read_model.job_rows import BatchRow, JobRow
from services.api.read_model.jobs import ReadModel


class Reading:
    """Reads jobs and batches of one owner. Foreign and erased ones are not found (docs/contract/secretary.md#batch,
    #codes)."""

    def __init__(
        self,
        read_model: ReadModel,
        catching_up: CatchingUp,
        watch: JobWatch,
        contents: Contents,
        observer: Observer,
    ) -> None:
        self._read_model = read_model
        self.catching_up = catching_up
        self.watch = watch
        self._contents = contents
        self.observer = observer

    async def job(self, job_id: str, owner: str) -> JobRow:
        """Return the job's row. Raises ApiError: NOT_FOUND (404), READ_MODEL_UNAVAILABLE (503)."""
        if not is_id("job", job_id):
            raise not_found("job")
        row = await self.catching_up.find(partial(self._read_model.job, job_id), lambda found: found.owner == owner)
        if row is None or row.erased:
            raise not_found("job")
        return row

    async def batch(self, batch_id: str, owner: str) -> BatchRow:
        """Return the batch's row. Raises as `job` does."""
        if not is_id("batch", batch_id):
            raise not_found("batch")
        row = await self.catching_up.find(partial(self._read_model.batch, batch_id), lambda found: found.owner == owner)
        if row is None or row.batch.erased:
            raise not_found("batch")
        return row

    async def after_change(self, row: JobRow, wait_s: float) -> JobRow:
        """Return the job after its next change of status or after `wait_s`; at once if it has ended."""
        if wait_s <= 0 or row.status.terminal:
            return row
        return await self._after(row, lambda now: now.status is not row.status, wait_s)

    async def after_fact(self, row: JobRow, wait_s: float) -> JobRow:
        """Return the job after its next fact or after `wait_s`."""
        return await self._after(row, lambda now: now != row.standing, wait_s)

    async def after_end(self, row: JobRow, wait_s: float) -> JobRow:
        """Return the job once it has ended or after `wait_s`."""
        if row.status.terminal:
            return row
        return await self._after(row, lambda now: now.status.terminal, wait_s)

    async def job_view_of(self, row: JobRow) -> dict[str, Any]:
        """Return the job as clients see it. Raises UnavailableError (503) when the blob store does not answer."""
        contents, outlook = await asyncio.gather(self.contents(row), self.outlook([row]))
        return job_view(row, contents, outlook)

    async def outlook(self, rows: Iterable[JobRow]) -> Outlook | None:
        """Return what is known about the ends of jobs; None if all of these have ended."""
        types = {row.job_type for row in rows if not row.status.terminal}
        return await self.observer.outlook(types) if types else None

    async def contents(self, row: JobRow) -> JobContents:
        """Return the contents of the job's claims: a result only of a completed job, an error only of a failed one."""
        job = row.job
        result = job.result if job and row.status is Status.COMPLETED else None
        error = job.error if job and row.status is Status.FAILED else None
        parameters, results, details = await asyncio.gather(
            self._contents.parameters(row), self._contents.read(result), self._contents.read(error)
        )
        return JobContents(parameters, results, details)

    async def ended(self, job_id: str, owner: str, wait_s: float) -> JobRow | None:
        """Return the job if it ends within `wait_s`; None if not, or if the read model does not answer."""
        try:
            row = await self.after_end(await self.job(job_id, owner), wait_s)
        except ReadModelUnavailableError:
            return None
        return row if row.status.terminal else None

    async def _after(self, row: JobRow, awaited: Awaited, wait_s: float) -> JobRow:
        await self.watch.until(row.job_id, row.position.partition, awaited, wait_s)
        return await self.job(row.job_id, row.owner)
