"""`/api/jobs`: create, list, read, wait for, cancel, restart and erase jobs."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from piperoll.domain.job import Status
from schemas.errors import ErrorCode
from services.api.http.answers import success
from services.api.http.bodies import read_json
from services.api.http.caller import caller_of, header_user, idempotency_key
from services.api.http.errors import ApiError, invalid_field
from services.api.http.fields import check_names, seconds
from services.api.http.plain_route import PlainRoute
from services.api.jobs import openapi
from services.api.jobs.listing import asked_jobs
from services.api.jobs.lookup import own_job
from services.api.jobs.requests import Submission, parse_job
from services.api.jobs.restart import again
from services.api.jobs.views import created_job
from services.api.parts import parts_of
from services.api.read_model.job_rows import JobRow

collection = APIRouter(tags=["jobs"], route_class=PlainRoute)
router = APIRouter(tags=["jobs"], route_class=PlainRoute)

MAX_WAIT_S = 60
MAX_REASON_CHARS = 64  # as in schemas.events.JobCancelled


@collection.post("/api/jobs/", **openapi.CREATE_JOB)
@collection.post("/api/jobs", include_in_schema=False)
async def create_job(request: Request) -> Response:
    """Accepts a job; it runs later. Answers once the log has it."""
    parts, user = parts_of(request), header_user(request)
    job = parse_job(await read_json(request, parts.max_body_bytes), parts.rules, user)
    return await _created(request, job)


@collection.get("/api/jobs/", **openapi.LIST_JOBS)
@collection.get("/api/jobs", include_in_schema=False)
async def list_jobs(request: Request) -> Response:
    """The owner's jobs, newest first, without their results and logs. Filters combine."""
    asked = asked_jobs(request.query_params, header_user(request))
    return success(await parts_of(request).listing.jobs(caller_of(request).owner, asked))


@router.get("/api/jobs/{job_id}", **openapi.GET_JOB)
async def get_job(request: Request, job_id: str) -> Response:
    """A job's status, progress, results and log. `wait` holds the answer until the status changes."""
    wait_s = seconds(request.query_params, "wait", MAX_WAIT_S) or 0.0
    reading = parts_of(request).reading
    row = await reading.after_change(await own_job(request, job_id), wait_s)
    return success(await reading.shown_job(row), row.position)


@router.delete("/api/jobs/{job_id}", **openapi.DELETE_JOB)
async def delete_job(request: Request, job_id: str) -> Response:
    """Erases a job and all it made; a running one is stopped. 202 when that was not read back in time."""
    parts = parts_of(request)
    job = (await own_job(request, job_id)).job
    position = await parts.commands.erase_job(job_id, job.parameters if job else None, caller_of(request))
    passed = await parts.reading.passed(position)
    return success({"job_id": job_id, "message": "job deleted"}, position, status=200 if passed else 202)


@router.post("/api/jobs/{job_id}/cancel", **openapi.CANCEL_JOB)
async def cancel_job(request: Request, job_id: str) -> Response:
    """Stops a job. 409 when it ended before; 202 when whether it did is not known yet."""
    parts = parts_of(request)
    reason = _reason((await read_json(request, parts.max_body_bytes, optional=True)).value)
    row = await own_job(request, job_id)
    if row.status.terminal:
        raise _ended(row)
    position = await parts.commands.cancel_job(job_id, reason, caller_of(request))
    passed = await parts.reading.passed(position)
    row = await own_job(request, job_id)
    if passed and row.status is not Status.CANCELLED:
        raise _ended(row)
    return success(await parts.reading.shown_job(row), position, status=200 if passed else 202)


@router.post("/api/jobs/{job_id}/restart", **openapi.RESTART_JOB)
async def restart_job(request: Request, job_id: str) -> Response:
    """Does a job again, as a new job with the same parameters. 409 while the old one has not ended."""
    row = await own_job(request, job_id)
    if not row.status.terminal:
        said = f"the job has not ended: it is {row.status.value}; cancel it or wait for its end"
        raise ApiError(409, ErrorCode.CONFLICT, said, {"status": row.status.value})
    parts = parts_of(request)
    return await _created(request, await again(parts.reading, parts.commands, parts.rules, row))


async def _created(request: Request, job: Submission) -> Response:
    created = await parts_of(request).creator.job(job, caller_of(request), idempotency_key(request))
    data = {"job_id": created.subject, "job": created_job(created.subject, job, created.created_at)}
    return success(data, created.position, headers=created.headers)


def _ended(row: JobRow) -> ApiError:
    return ApiError(
        409, ErrorCode.CONFLICT, f"the job has ended: it is {row.status.value}", {"status": row.status.value}
    )


def _reason(body: dict[str, Any]) -> str | None:
    check_names(body, {"reason"})
    reason = body.get("reason")
    if reason is None:
        return None
    if not isinstance(reason, str) or not 1 <= len(reason) <= MAX_REASON_CHARS or not reason.isprintable():
        raise invalid_field("reason", f"must be a text of 1 to {MAX_REASON_CHARS} characters")
    return reason
