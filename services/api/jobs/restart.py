"""Repeats a job: builds a submission from the stored parameters."""

from collections.abc import Mapping
from typing import Any

from piperoll.seal import SealError
from services.api.http.errors import conflict
from services.api.jobs.commands import Commands
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Rules, Submission, restarted
from services.api.read_model.job_rows import JobRow


async def restart_of(
    reading: Reading, commands: Commands, rules: Rules, row: JobRow, changes: Mapping[str, Any] | None = None
) -> Submission:
    """Return the job that a restart creates, with `changes` to its parameters.

    Raises ApiError: CONFLICT (409) if it cannot be repeated, and 400 if its parameters are no longer valid.
    """
    stored = (await reading.contents(row)).parameters
    if stored is None:
        raise conflict("the job's parameters were erased: create a new job instead")
    try:
        sent = commands.opened(stored["parameters"])
    except SealError as error:
        raise conflict(f"the webhook's token cannot be used again: {error}") from error
    return restarted(row.job_id, stored["job_type"], {**sent, **(changes or {})}, row.user_id, rules)
