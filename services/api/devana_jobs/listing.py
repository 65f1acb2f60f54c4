"""Lists of jobs of the Devana API (docs/contract/devana.md#list-of-jobs): pages by filters, newest first."""

from typing import Any

from piperoll.domain.job import Status
from services.api.devana_jobs.requests import DevanaJobsQuery
from services.api.devana_jobs.views import Json, devana_job, devana_of
from services.api.jobs.reading import Reading
from services.api.jobs.views import job_error
from services.api.read_model.content_memo import ContentMemo
from services.api.read_model.contents import Contents, of_each
from services.api.read_model.job_rows import JobRow
from services.api.read_model.jobs import ReadModel


class DevanaListing:
    """Pages of an owner's jobs, read after a short wait for the read model to catch up."""

    def __init__(self, read_model: ReadModel, reading: Reading, contents: Contents) -> None:
        self._read_model = read_model
        self._reading = reading
        self._described: ContentMemo[dict[str, Any]] = ContentMemo(contents)
        self._errors: ContentMemo[dict[str, Any]] = ContentMemo(contents)

    async def jobs(self, owner: str, query: DevanaJobsQuery) -> list[Json]:
        """Return the page. Raises ApiError READ_MODEL_UNAVAILABLE (503)."""
        await self._reading.catching_up.briefly()
        filters = (owner, query.job_types, query.statuses)
        async with self._read_model.turn():
            rows = await self._read_model.devana_jobs(filters, query.target_id, query.limit, query.offset)
            return await of_each(self._job, rows)

    async def _job(self, row: JobRow) -> Json:
        """Return one job. A batch's member that was not created yet has no metadata."""
        job = row.job
        metadata = await self._described.get(job.parameters if job else None, devana_of(row.job_type).described)
        claim = job.error if job and row.status is Status.FAILED else None
        error = job_error(row, await self._errors.get(claim, _message))
        return devana_job(row, metadata or {}, error["message"] if error else None)


def _message(content: dict[str, Any]) -> dict[str, Any]:
    return {"message": content["message"]}
