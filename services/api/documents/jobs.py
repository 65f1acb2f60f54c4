"""Jobs about a document or folder (docs/contract/decisions.md#a22 and docs/contract/devana.md#retry)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from piperoll.job_types import job_types
from piperoll.log.record import Position
from schemas.documents import Resolved, ResolvedDocument, parameters_document
from schemas.fields import is_label
from services.api.devana_jobs.views import new_devana_job
from services.api.http.answers import devana_success
from services.api.http.bodies import canonical_sha256
from services.api.http.caller import USER_ID, caller_of
from services.api.http.errors import ApiError, conflict, not_found
from services.api.jobs.commands import Commands
from services.api.jobs.creation import Creator
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Rules, Submission, submitted
from services.api.jobs.restart import restart_of
from services.api.read_model.library import Library


def still_running(state: str, job_id: str | None) -> ApiError:
    """Return a 409: a job about the target has not ended."""
    message = f"{state}: wait until its job has finished, or cancel it"
    return conflict(message, **({} if job_id is None else {"jobId": job_id}))


def reading_of(media_type: str, document_id: str, include_images: bool) -> tuple[str, dict[str, Any]]:
    """Return the type and the parameters of the job that reads a document; images are for types that draw pages."""
    reader = job_types().reader_of(media_type)
    draws = include_images and "include_images" in reader.parameters.model_fields
    return reader.name, {"document_id": document_id, **({"include_images": True} if draws else {})}


@dataclass(frozen=True, slots=True)
class DocumentJobs:
    """Creates, repeats and erases the jobs about a document or folder."""

    rules: Rules
    commands: Commands
    creator: Creator
    reading: Reading
    library: Library

    async def create(
        self, request: Request, job_type: str, parameters: dict[str, Any], target_id: str, target: Resolved
    ) -> Response:
        """Create a job and answer it as the Devana API does. `target` is for its metadata; the job uses it too if it
        is a document, a folder is resolved again."""
        sha256 = canonical_sha256({"about": target_id, "job_type": job_type})
        job = submitted(job_type, parameters, self.rules, USER_ID.of(request), sha256)
        if isinstance(target, ResolvedDocument):
            job = replace(job, resolved=target)
        return await self._answer(request, job, target_id, target)

    async def repeat(self, request: Request, target_id: str, job_types: Sequence[str], what: str) -> Response:
        """Repeat the newest job whose `targetId` is this, as a new job with the same target.

        Raises ApiError: NOT_FOUND (404) if there is none, CONFLICT (409) while it has not ended.
        """
        caller = caller_of(request)
        if not is_label(target_id):
            raise not_found(what)
        newest = await self.library.model.newest_of_target(target_id, caller.owner, job_types)
        if newest is None:
            raise not_found(what)
        job_id, status = newest
        if not status.terminal:
            raise still_running(f"the newest job of this {what} has not ended", job_id)
        row = await self.reading.job(job_id, caller.owner)
        job = await restart_of(self.reading, self.commands, self.rules, row, {"target_id": target_id})
        return await self._answer(request, job, target_id, None)

    async def erase(self, request: Request, target_id: str, job_types: Sequence[str] | None = None) -> list[Position]:
        """Erase the caller's jobs about a document or folder; return the positions of these facts."""
        caller = caller_of(request)
        jobs = await self.library.model.jobs_about(target_id, caller.owner, job_types)
        return await self.commands.erase_about(target_id, jobs, caller)

    async def _answer(self, request: Request, job: Submission, target_id: str, target: Resolved | None) -> Response:
        caller = caller_of(request)
        created = await self.creator.job(job, caller, None)
        await self.reading.catching_up.passed(created.position)  # a read of the target's status shows this job
        body = parameters_document(job.job_type, job.sent, target)
        user = job.user_id or caller.owner
        view = new_devana_job(created.subject, user, job.job_type, created.created_at, target_id, body)
        return devana_success(view, 202)
