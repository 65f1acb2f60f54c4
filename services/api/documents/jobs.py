"""How routes begin jobs about a document or folder, anew or once more, and erase them (contract 15a and A22)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from piperoll.log.record import Position
from schemas.documents import Resolved, ResolvedDocument, parameters_document
from schemas.errors import ErrorCode
from services.api.devana_jobs.views import new_devana_job
from services.api.http.answers import devana_success
from services.api.http.bodies import canonical_sha256
from services.api.http.caller import caller_of, header_user
from services.api.http.errors import ApiError, not_found
from services.api.jobs.creation import Created
from services.api.jobs.requests import Submission, submitted
from services.api.jobs.restart import again
from services.api.parts import parts_of


def running(what: str, job_id: str | None) -> ApiError:
    """409: a job is at it already."""
    said = f"{what}: wait for the end of the job that is at it, or cancel it"
    return ApiError(409, ErrorCode.CONFLICT, said, {} if job_id is None else {"jobId": job_id})


async def begin(request: Request, job_type: str, given: dict[str, Any], target_id: str, known: Resolved) -> Response:
    """Creates a job and answers it as the Devana API does. `known` is what its metadata say of its target; of a
    document it is all that the job needs, a folder is looked at anew."""
    parts = parts_of(request)
    sha256 = canonical_sha256({"about": target_id, "job_type": job_type})
    job = submitted(job_type, given, parts.rules, header_user(request), sha256)
    if isinstance(known, ResolvedDocument):
        job = replace(job, resolved=known)
    created = await parts.creator.job(job, caller_of(request), None)
    await parts.reading.passed(created.position)  # whoever asks next how the target stands is told of this job
    return devana_success(_shown(request, created, job, target_id, parameters_document(job_type, given, known)), 202)


async def begin_again(request: Request, target_id: str, job_types: Sequence[str], what: str) -> Response:
    """Does the newest job again whose target clients know as `target_id`: a new job with the same target.

    Raises ApiError: NOT_FOUND (404) where there is none, CONFLICT (409) while it has not ended.
    """
    parts, caller = parts_of(request), caller_of(request)
    if "\x00" in target_id:
        raise not_found(what)
    newest = await parts.library.model.newest_of_target(target_id, caller.owner, job_types)
    if newest is None:
        raise not_found(what)
    job_id, status = newest
    if not status.terminal:
        raise running(f"the newest job of this {what} has not ended", job_id)
    row = await parts.reading.job(job_id, caller.owner)
    job = await again(parts.reading, parts.commands, parts.rules, row, {"target_id": target_id})
    created = await parts.creator.job(job, caller, None)
    await parts.reading.passed(created.position)
    document = parameters_document(job.job_type, job.given, None)
    return devana_success(_shown(request, created, job, target_id, document), 202)


async def erase_jobs(request: Request, target_id: str, job_types: Sequence[str] | None = None) -> list[Position]:
    """Erases the caller's jobs about a document or folder; where the erasures stand."""
    parts, caller = parts_of(request), caller_of(request)
    jobs = await parts.library.model.jobs_about(target_id, caller.owner, job_types)
    return await asyncio.gather(*(parts.commands.erase_job(job_id, at, caller) for job_id, at in jobs.items()))


def _shown(
    request: Request, created: Created, job: Submission, target_id: str, document: Mapping[str, Any]
) -> dict[str, Any]:
    return new_devana_job(
        created.subject,
        caller_of(request).owner,
        job.job_type,
        created.created_at,
        user_id=job.user_id,
        target_id=target_id,
        document=document,
    )
