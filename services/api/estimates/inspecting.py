"""Has a worker count the pages of a file, since the API must not parse files (docs/adr/0034-estimates.md).

The inspection is a job of an internal type, first in the queue, and is erased as soon as its answer was read or came
too late.
"""

from dataclasses import dataclass
from typing import Any

import structlog

from piperoll.domain.job import Status
from schemas.claims import Claim
from schemas.job_types.inspection import INSPECTION, LOOKED_AT, WITH_TEXT
from schemas.job_types.page_work import PageWork
from services.api.http.bodies import canonical_sha256
from services.api.http.caller import Caller
from services.api.http.errors import UnavailableError
from services.api.jobs.commands import Commands
from services.api.jobs.creation import Creator
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Submission
from services.api.jobs.views import job_error
from services.api.read_model.job_rows import JobRow

log = structlog.get_logger()

WAIT_S = 10.0
"""The longest that an estimate waits for its inspection."""
TERMS: dict[str, Any] = {"priority": 9, "max_attempts": 1, "timeout_s": 60}


@dataclass(frozen=True, slots=True)
class Inspected:
    """The selected pages of a file; None for a file whose pages are not counted before it is read. Or the `problem`,
    `{code, message, details}`, for which a job with this file would fail.

    `with_text` is computed from the share of those that were `looked_at`.
    """

    pages: int | None = None
    with_text: int | None = None
    looked_at: int | None = None
    problem: dict[str, Any] | None = None


class Inspector:
    """Creates inspections, waits for their ends and erases them."""

    def __init__(self, creator: Creator, reading: Reading, commands: Commands, wait_s: float = WAIT_S) -> None:
        self._creator = creator
        self._reading = reading
        self._commands = commands
        self._wait_s = wait_s

    async def inspect(self, job: Submission, work: PageWork, caller: Caller) -> Inspected | None:
        """Return what is found in the file of a validated job; None if no worker has answered in time.

        Raises ApiError as the creation of a job does.
        """
        inspection = inspection_of(job, work)
        created = await self._creator.job(inspection, caller, key=None)
        row = None
        try:
            row = await self._reading.ended(created.subject, caller.owner, self._wait_s)
            return None if row is None else await self._found(row)
        finally:
            claim = row.job.parameters if row is not None and row.job is not None else None
            await self._erase(created.subject, claim, caller)

    async def _erase(self, inspection: str, parameters: Claim | None, caller: Caller) -> None:
        """Erase an inspection. What it found stands if Kafka does not acknowledge that."""
        try:
            await self._commands.erase_job(inspection, parameters, caller)
        except UnavailableError as error:
            log.warning("inspection_not_erased", job_id=inspection, error=str(error))

    async def _found(self, row: JobRow) -> Inspected:
        if row.job is None or row.status is not Status.COMPLETED:
            return Inspected(problem=job_error(row, (await self._reading.contents(row)).error))
        counts = row.job.counts
        return Inspected(row.job.pages, counts.get(WITH_TEXT), counts.get(LOOKED_AT))


def inspection_of(job: Submission, work: PageWork) -> Submission:
    """Return the inspection of the file that a validated job names. Pure."""
    asked = {
        "file": job.sent.get("filename"),
        "document_id": job.sent.get("document_id"),
        "page_start": work.first,
        "page_end": work.last,
        "is_pdf": work.is_pdf,
        **TERMS,
    }
    sent = {name: value for name, value in asked.items() if value is not None}
    parameters = INSPECTION.parameters.model_validate(sent)
    return Submission(INSPECTION.name, sent, parameters, job.user_id, canonical_sha256(sent))
