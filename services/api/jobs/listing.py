"""Lists of jobs and batches (contract 2c): what a query string asks for, and a page of it, newest first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from piperoll.job_types import job_types
from schemas.claims import Claim
from services.api.http.errors import invalid_field
from services.api.http.fields import check_names, plain_text, whole_number
from services.api.jobs.reading import Reading
from services.api.jobs.views import Documents, batch_summary, job_summary
from services.api.read_model.catching_up import LIST_WAIT_S
from services.api.read_model.contents import Contents
from services.api.read_model.job_rows import JobRow
from services.api.read_model.jobs import ReadModel

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_SKIP = 2**31 - 1
MAX_PARAMETERS_BYTES = 16 * 1024  # a thousand jobs with texts of a megabyte each would make a list of a gigabyte

STATUSES = {
    "pending": ("pending",),
    "processing": ("processing",),
    "completed": ("completed",),
    "failed": ("failed", "cancelled"),
}
"""The statuses that clients know, and those of the fold that they stand for."""
PAGE_NAMES = frozenset({"limit", "skip"})
JOB_NAMES = PAGE_NAMES | {"status", "batch_id", "user_id", "job_type", "target_id"}
BATCH_NAMES = PAGE_NAMES | {"status", "archived", "user_id"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is to show. Filters combine; one that is None lets everything through."""

    limit: int
    skip: int
    status: str | None = None
    user_id: str | None = None
    batch_id: str | None = None
    job_type: str | None = None
    target_id: str | None = None
    archived: bool = False


def asked_jobs(query: QueryParams, user_id: str | None) -> Asked:
    """What GET /api/jobs/ asks for; `user_id` is the header's, which the query's goes before.

    Raises ApiError: INVALID_REQUEST for a name there is none of, INVALID_PARAMETERS for a value (both 400).
    """
    job_type = plain_text(query, "job_type")
    return Asked(
        **_common(query, JOB_NAMES, user_id),
        batch_id=plain_text(query, "batch_id"),
        job_type=job_type and job_types().own_name(job_type),
        target_id=plain_text(query, "target_id"),
    )


def asked_batches(query: QueryParams, user_id: str | None) -> Asked:
    """What GET /api/jobs/batches asks for. Raises as `asked_jobs` does."""
    return Asked(**_common(query, BATCH_NAMES, user_id), archived=query.get("archived") == "true")


class Listing:
    """Pages of an owner's jobs and batches, as the read model has them after a short wait for it to catch up."""

    def __init__(self, read_model: ReadModel, reading: Reading, contents: Contents) -> None:
        self._read_model = read_model
        self._reading = reading
        self._contents = contents

    async def jobs(self, owner: str, asked: Asked) -> dict[str, Any]:
        """`{total, jobs}`; jobs without results and logs. Raises ApiError READ_MODEL_UNAVAILABLE (503)."""
        await self._reading.caught_up(LIST_WAIT_S)
        statuses = None if asked.status is None else STATUSES[asked.status]
        filters = (owner, statuses, asked.batch_id, asked.user_id, asked.job_type, asked.target_id)
        total, rows = await self._read_model.jobs(filters, asked.limit, asked.skip)
        documents = await asyncio.gather(*map(self._documents, rows))
        return {"total": total, "jobs": [job_summary(row, found) for row, found in zip(rows, documents, strict=True)]}

    async def batches(self, owner: str, asked: Asked) -> dict[str, Any]:
        """`{total, batches}`; batches without their members. Raises as `jobs` does."""
        if asked.archived:
            return {"total": 0, "batches": []}  # nothing is ever archived here
        await self._reading.caught_up(LIST_WAIT_S)
        ids: Sequence[str] | None = None
        if asked.status is not None:
            ids = await self._read_model.batches_of_status(owner, asked.user_id, asked.status)
        total, listed = await self._read_model.batches((owner, asked.user_id, ids), asked.limit, asked.skip)
        names = await asyncio.gather(*(self._contents.document(one.batch.name) for one in listed))
        return {
            "total": total,
            "batches": [batch_summary(one, name) for one, name in zip(listed, names, strict=True)],
        }

    async def _documents(self, row: JobRow) -> Documents:
        """The parameters, unless they are large, and why a job failed."""
        if row.job is None:
            return Documents()
        parameters, error = await asyncio.gather(
            self._contents.document(_if_small(row.job.parameters)), self._contents.document(row.job.error)
        )
        return Documents(parameters=parameters, error=error)


def _if_small(claim: Claim | None) -> Claim | None:
    return claim if claim is not None and claim.size <= MAX_PARAMETERS_BYTES else None


def _common(query: QueryParams, known: frozenset[str], user_id: str | None) -> dict[str, Any]:
    check_names(query, known)
    status = query.get("status")
    if status is not None and status not in STATUSES:
        raise invalid_field("status", f"must be one of {', '.join(STATUSES)}", list(STATUSES))
    return {
        "limit": whole_number(query, "limit", DEFAULT_LIMIT, MAX_LIMIT),
        "skip": whole_number(query, "skip", 0, MAX_SKIP),
        "status": status,
        "user_id": plain_text(query, "user_id") or user_id,
    }
