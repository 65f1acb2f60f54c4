"""How routes find what a path names: the caller's own job or batch, and what is no id is not found at once."""

import re

from starlette.requests import Request

from services.api.http.caller import caller_of
from services.api.http.errors import not_found
from services.api.parts import parts_of
from services.api.read_model.job_rows import BatchRow, JobRow

_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_JOB_ID = re.compile(f"job-{_UUID}")
_BATCH_ID = re.compile(f"batch-{_UUID}")


async def own_job(request: Request, job_id: str) -> JobRow:
    """The caller's job. Raises ApiError: NOT_FOUND (404), READ_MODEL_UNAVAILABLE (503)."""
    if not _JOB_ID.fullmatch(job_id):
        raise not_found("job")
    return await parts_of(request).reading.job(job_id, caller_of(request).owner)


async def own_batch(request: Request, batch_id: str) -> BatchRow:
    """The caller's batch. Raises as `own_job` does."""
    if not _BATCH_ID.fullmatch(batch_id):
        raise not_found("batch")
    return await parts_of(request).reading.batch(batch_id, caller_of(request).owner)
