"""Lists of jobs (contract 2c): a page of what a query string asks for, newest first."""

import asyncio
from typing import Any

from schemas.claims import Claim
from services.api.jobs.queries import JobListQuery
from services.api.jobs.reading import Reading
from services.api.jobs.views import JobContents, job_summary
from services.api.read_model.catching_up import LIST_WAIT_S
from services.api.read_model.contents import Contents
from services.api.read_model.job_rows import JobRow
from services.api.read_model.jobs import ReadModel

MAX_PARAMETERS_BYTES = 16 * 1024  # a thousand jobs with texts of a megabyte each would make a list of a gigabyte

STATUSES = {
    "pending": ("pending",),
    "processing": ("processing",),
    "completed": ("completed",),
    "failed": ("failed", "cancelled"),
}
"""The statuses that clients know, and those of the fold that they stand for."""


class JobListing:
    """Pages of an owner's jobs, as the read model has them after a short wait for it to catch up."""

    def __init__(self, read_model: ReadModel, reading: Reading, contents: Contents) -> None:
        self._read_model = read_model
        self._reading = reading
        self._contents = contents

    async def jobs(self, owner: str, query: JobListQuery, user_id: str | None) -> dict[str, Any]:
        """`{total, jobs}`; jobs without results and logs. `user_id` is the header's, which the query's goes before.

        Raises ApiError READ_MODEL_UNAVAILABLE (503).
        """
        await self._reading.caught_up(LIST_WAIT_S)
        statuses = None if query.status is None else STATUSES[query.status]
        filters = (owner, statuses, query.batch_id, query.user_id or user_id, query.job_type, query.target_id)
        total, rows = await self._read_model.jobs(filters, query.limit, query.skip)
        documents = await asyncio.gather(*map(self._documents, rows))
        return {"total": total, "jobs": [job_summary(row, found) for row, found in zip(rows, documents, strict=True)]}

    async def _documents(self, row: JobRow) -> JobContents:
        """The parameters, unless they are large, and why a job failed."""
        if row.job is None:
            return JobContents()
        parameters, error = await asyncio.gather(
            self._contents.document(_if_small(row.job.parameters)), self._contents.document(row.job.error)
        )
        return JobContents(parameters=parameters, error=error)


def _if_small(claim: Claim | None) -> Claim | None:
    return claim if claim is not None and claim.size <= MAX_PARAMETERS_BYTES else None
