"""Jobs about a document or folder: created, repeated and erased (contract 15a and A22)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from piperoll.log.record import Position
from schemas.documents import Resolved, ResolvedDocument, parameters_document
from schemas.errors import ErrorCode
from services.api.devana_jobs.views import new_devana_job
from services.api.http.answers import devana_success
from services.api.http.bodies import canonical_sha256
from services.api.http.caller import USER_ID, caller_of
from services.api.http.errors import ApiError, not_found
from services.api.jobs.commands import Commands
from services.api.jobs.creation import Created, Creator
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Rules, Submission, submitted
from services.api.jobs.restart import again
from services.api.read_model.library import Library


def running(what: str, job_id: str | None) -> ApiError:
    """409: a job is already running for it."""
    message = f"{what}: wait until its job has finished, or cancel it"
    return ApiError(409, ErrorCode.CONFLICT, message, {} if job_id is None else {"jobId": job_id})


@dataclass(frozen=True, slots=True)
class DocumentJobs:
    """Creates, repeats and erases the jobs about a document or folder."""

    rules: Rules
    commands: Commands
    creator: Creator
    reading: Reading
    library: Library

    async def begin(
        self, request: Request, job_type: str, given: dict[str, Any], target_id: str, known: Resolved
    ) -> Response:
        """Creates a job and answers it as the Devana API does. `known` is what its metadata say of its target; of a
        document it is all that the job needs, a folder is looked up again."""
        sha256 = canonical_sha256({"about": target_id, "job_type": job_type})
        job = submitted(job_type, given, self.rules, USER_ID.of(request), sha256)
        if isinstance(known, ResolvedDocument):
            job = replace(job, resolved=known)
        created = await self.creator.job(job, caller_of(request), None)
        await self.reading.passed(created.position)  # a read of the target's status shows this job
        return devana_success(
            _shown(request, created, job, target_id, parameters_document(job_type, given, known)), 202
        )

    async def begin_again(self, request: Request, target_id: str, job_types: Sequence[str], what: str) -> Response:
        """Does the newest job again whose target clients know as `target_id`: a new job with the same target.

        Raises ApiError: NOT_FOUND (404) where there is none, CONFLICT (409) while it has not ended.
        """
        caller = caller_of(request)
        if "\x00" in target_id:
            raise not_found(what)
        newest = await self.library.model.newest_of_target(target_id, caller.owner, job_types)
        if newest is None:
            raise not_found(what)
        job_id, status = newest
        if not status.terminal:
            raise running(f"the newest job of this {what} has not ended", job_id)
        row = await self.reading.job(job_id, caller.owner)
        job = await again(self.reading, self.commands, self.rules, row, {"target_id": target_id})
        created = await self.creator.job(job, caller, None)
        await self.reading.passed(created.position)
        document = parameters_document(job.job_type, job.given, None)
        return devana_success(_shown(request, created, job, target_id, document), 202)

    async def erase(self, request: Request, target_id: str, job_types: Sequence[str] | None = None) -> list[Position]:
        """Erases the caller's jobs about a document or folder; where the erasures stand."""
        caller = caller_of(request)
        jobs = await self.library.model.jobs_about(target_id, caller.owner, job_types)
        return await asyncio.gather(*(self.commands.erase_job(job_id, at, caller) for job_id, at in jobs.items()))


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
