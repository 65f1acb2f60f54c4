"""`GET /v1/jobs` (contract 15a): what a query string asks for, and a page of it, newest first.

Names that the seed does not know are ignored: clients of the other server may send what it ignored too.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from schemas.devana import KILLED, STATUSES, TYPE_NAMES
from services.api.devana_jobs.views import Json, devana_job, devana_of
from services.api.http.errors import invalid_field
from services.api.http.fields import plain_text
from services.api.jobs.reading import Reading
from services.api.jobs.views import job_error
from services.api.read_model.catching_up import LIST_WAIT_S
from services.api.read_model.content_memo import Recall
from services.api.read_model.contents import Contents
from services.api.read_model.job_rows import JobRow
from services.api.read_model.jobs import ReadModel

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
MAX_OFFSET = 1000
MOST_DIGITS = 1000  # of a limit that is clamped; beyond, Python itself refuses to read it

STATUS_NAMES = tuple(STATUSES.values())


@dataclass(frozen=True, slots=True)
class AskedJobs:
    """What a list is to show, in the read model's own names. An empty tuple lets nothing through."""

    job_types: tuple[str, ...]
    statuses: tuple[str, ...]
    target_id: str | None
    limit: int
    offset: int


def asked_jobs(query: QueryParams) -> AskedJobs:
    """What a query string asks for. Raises ApiError INVALID_PARAMETERS (400).

    `type` takes types and statuses (contract A1); of several values of one kind any will do, and filters combine.
    """
    given = query.getlist("type")
    types = _chosen("type", [value for value in given if value not in STATUS_NAMES], TYPE_NAMES, also=STATUS_NAMES)
    of_type = [value for value in given if value in STATUS_NAMES] or STATUS_NAMES
    of_status = _chosen("status", query.getlist("status"), STATUS_NAMES)
    return AskedJobs(
        job_types=tuple(job_type for name in types for job_type in job_types().devana(name)),
        statuses=tuple(
            status for status, name in STATUSES.items() if name in of_type and name in of_status and name != KILLED
        ),
        target_id=plain_text(query, "targetId"),
        limit=min(_number(query, "limit", DEFAULT_LIMIT, least=1), MAX_LIMIT),
        offset=_number(query, "offset", 0, least=0, most=MAX_OFFSET),
    )


class DevanaListing:
    """Pages of an owner's jobs, as the read model has them after a short wait for it to catch up."""

    def __init__(self, read_model: ReadModel, reading: Reading, contents: Contents) -> None:
        self._read_model = read_model
        self._reading = reading
        self._described: Recall[dict[str, Any]] = Recall(contents)
        self._errors: Recall[dict[str, Any]] = Recall(contents)

    async def jobs(self, owner: str, asked: AskedJobs) -> list[Json]:
        """The page. Raises ApiError READ_MODEL_UNAVAILABLE (503)."""
        await self._reading.caught_up(LIST_WAIT_S)
        filters = (owner, asked.job_types, asked.statuses)
        rows = await self._read_model.devana_jobs(filters, asked.target_id, asked.limit, asked.offset)
        return list(await asyncio.gather(*map(self.shown, rows)))

    async def shown(self, row: JobRow) -> Json:
        """One job. A batch's member that was not created yet has no metadata."""
        job, shown_as = row.job, devana_of(row.job_type)
        told = await self._described.told(job.parameters, shown_as.described) if job else None
        why = job.error if job and row.status is Status.FAILED else None
        document = await self._errors.told(why, _sentence)
        error = job_error(row, document)
        return devana_job(row, told or {}, error["message"] if error else None)


def _sentence(document: dict[str, Any]) -> dict[str, Any]:
    return {"message": document["message"]}


def _chosen(name: str, given: list[str], known: tuple[str, ...], also: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The values of one filter, each once; all of them where none is given."""
    supported = [*also, *known]
    for value in given:
        if value not in known:
            raise invalid_field(name, f"must be one of {', '.join(supported)}", supported)
    return tuple(dict.fromkeys(given)) or known


def _number(query: QueryParams, name: str, default: int, least: int, most: int | None = None) -> int:
    text = query.get(name)
    if text is None:
        return default
    bounds = f"from {least} to {most}" if most is not None else f"of at least {least}"
    if not text.isascii() or not text.isdecimal() or len(text) > MOST_DIGITS:
        raise invalid_field(name, f"must be a whole number {bounds}")
    number = int(text)
    if number < least or (most is not None and number > most):
        raise invalid_field(name, f"must be a whole number {bounds}")
    return number
