"""Running a job again: the submission that repeats it, from what its blobs still hold."""

from collections.abc import Mapping
from typing import Any

from piperoll.seal import SealError
from schemas.errors import ErrorCode
from services.api.http.errors import ApiError
from services.api.jobs.commands import Commands
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Rules, Submission, restarted
from services.api.read_model.job_rows import JobRow


async def again(
    reading: Reading, commands: Commands, rules: Rules, row: JobRow, more: Mapping[str, Any] | None = None
) -> Submission:
    """The job that a restart creates, with `more` parameters over those that it had.

    Raises ApiError: CONFLICT (409) where it cannot be repeated, and 400 where its parameters are no longer allowed.
    """
    document = (await reading.documents(row)).parameters
    if document is None:
        raise ApiError(409, ErrorCode.CONFLICT, "the job's parameters are gone: create a new job instead")
    try:
        given = commands.opened(document["parameters"])
    except SealError as error:
        raise ApiError(409, ErrorCode.CONFLICT, f"the webhook's token cannot be used again: {error}") from error
    return restarted(row.job_id, document["job_type"], {**given, **(more or {})}, row.user_id, rules)
