"""Lists of jobs (docs/contract/secretary.md#lists): pages by the filters of a query string, newest first."""

import asyncio
from collections.abc import Sequence
from typing import Any

from piperoll.domain.job import Status
from piperoll.domain.words import asked_words
from schemas.claims import Claim
from services.api.jobs.query_strings import CountsQuery, JobListQuery
from services.api.jobs.reading import Reading
from services.api.jobs.views import JobContents, job_summary
from services.api.read_model.contents import Contents, of_each
from services.api.read_model.job_rows import JobRow
from services.api.read_model.jobs import ReadModel

MAX_PARAMETERS_BYTES = 16 * 1024  # a thousand jobs with texts of a megabyte each would make a list of a gigabyte

STATUSES = {
    "pending": ("pending",),
    "processing": ("processing",),
    "completed": ("completed",),
    "failed": ("failed", "cancelled"),
}
"""By a client's status: the statuses of the fold."""


class JobListing:
    """Pages of an owner's jobs, read after a short wait for the read model to catch up."""

    def __init__(self, read_model: ReadModel, reading: Reading, contents: Contents) -> None:
        self._read_model = read_model
        self._reading = reading
        self._contents = contents

    async def jobs(self, owner: str, query: JobListQuery, user_id: str | None) -> dict[str, Any]:
        """Return `{total, jobs}`; jobs without results and logs. The query's user id overrides `user_id`, the header's.

        A page after a job, and one of a search, is `{jobs}`: counting all would cost more than reading it.
        Raises ApiError READ_MODEL_UNAVAILABLE (503).
        """
        await self._reading.catching_up.briefly()
        statuses = None if query.status is None else STATUSES[query.status]
        filters = (owner, statuses, query.batch_id, query.user_id or user_id, query.job_type, query.target_id)
        page = (query.limit, query.skip)
        async with self._read_model.turn():
            if query.q is not None:
                rows = await self._read_model.search(filters, *page, query.after, asked_words(query.q))
                return {"jobs": await self._shown(rows)}
            if query.after is None:
                total, rows = await self._read_model.jobs(filters, *page)
                return {"total": total, "jobs": await self._shown(rows)}
            rows = await self._read_model.jobs_after(filters, *page, query.after)
            return {"jobs": await self._shown(rows)}

    async def counts(self, owner: str, query: CountsQuery, user_id: str | None) -> dict[str, int]:
        """Return the number of jobs of each of a client's statuses, and their `total`.

        Raises ApiError READ_MODEL_UNAVAILABLE (503).
        """
        await self._reading.catching_up.briefly()
        filters = (owner, query.batch_id, query.user_id or user_id, query.job_type, query.target_id)
        asked = None if query.q is None else asked_words(query.q)
        async with self._read_model.turn():
            found = await self._read_model.counts(filters, asked)
        counts = {name: sum(found.get(Status(one), 0) for one in statuses) for name, statuses in STATUSES.items()}
        return {"total": sum(counts.values()), **counts}

    async def _shown(self, rows: Sequence[JobRow]) -> list[dict[str, Any]]:
        outlook = await self._reading.outlook(rows)
        contents = await of_each(self._contents_of, rows)
        return [job_summary(row, content, outlook) for row, content in zip(rows, contents, strict=True)]

    async def _contents_of(self, row: JobRow) -> JobContents:
        """Return the parameters, unless they are large, and the error details."""
        if row.job is None:
            return JobContents()
        parameters, error = await asyncio.gather(
            self._contents.read(_if_small(row.job.parameters)), self._contents.read(row.job.error)
        )
        return JobContents(parameters=parameters, error=error)


def _if_small(claim: Claim | None) -> Claim | None:
    return claim if claim is not None and claim.size <= MAX_PARAMETERS_BYTES else None
