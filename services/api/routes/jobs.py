"""`/api/jobs`: create, read, wait for, cancel; a job's facts and deliveries."""

import re
from typing import Any

from fastapi import APIRouter
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response

from piperoll.domain.job import Status
from schemas.errors import ErrorCode
from services.api import openapi
from services.api.answers import success, timestamp
from services.api.bodies import read_json
from services.api.caller import caller_of, header_user, idempotency_key
from services.api.errors import ApiError, invalid_field, invalid_request, not_found
from services.api.parts import parts_of
from services.api.routes.plain import PlainRoute
from services.api.rows import JobRow
from services.api.submissions import parse_job
from services.api.views import created_job
from services.api.wording import delivery_reason

router = APIRouter(tags=["jobs"], route_class=PlainRoute)

MAX_WAIT_S = 60
MAX_REASON_CHARS = 64  # as in schemas.events.JobCancelled
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
_JOB_ID = re.compile(r"job-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECONDS = re.compile(r"\d{1,4}(\.\d{1,6})?")


@router.post("/api/jobs/", **openapi.CREATE_JOB)
@router.post("/api/jobs", include_in_schema=False)
async def create_job(request: Request) -> Response:
    """Accepts a job; it runs later. Answers once the log has it."""
    parts, caller = parts_of(request), caller_of(request)
    key, user = idempotency_key(request), header_user(request)
    job = parse_job(await read_json(request, parts.max_body_bytes), parts.rules, user)
    created = await parts.creator.job(job, caller, key)
    data = {"job_id": created.subject, "job": created_job(created.subject, job, created.created_at)}
    return success(data, created.position, headers=created.headers)


@router.get("/api/jobs/{job_id}", **openapi.GET_JOB)
async def get_job(request: Request, job_id: str) -> Response:
    """A job's status, progress, results and log. `wait` holds the answer until the status changes."""
    wait_s = _wait(request.query_params.get("wait"))
    reading = parts_of(request).reading
    row = await reading.after_change(await _row(request, job_id), wait_s)
    return success(await reading.shown_job(row), row.position)


@router.post("/api/jobs/{job_id}/cancel", **openapi.CANCEL_JOB)
async def cancel_job(request: Request, job_id: str) -> Response:
    """Stops a job. 409 when it ended before; 202 when whether it did is not known yet."""
    parts = parts_of(request)
    reason = _reason((await read_json(request, parts.max_body_bytes, optional=True)).value)
    row = await _row(request, job_id)
    if row.status.terminal:
        raise _ended(row)
    position = await parts.commands.cancel_job(job_id, reason, caller_of(request))
    passed = await parts.reading.passed(position)
    row = await _row(request, job_id)
    if passed and row.status is not Status.CANCELLED:
        raise _ended(row)
    return success(await parts.reading.shown_job(row), position, status=200 if passed else 202)


@router.get("/api/jobs/{job_id}/events", **openapi.GET_EVENTS)
async def get_events(request: Request, job_id: str) -> Response:
    """The facts that a job is made of, in the log's order, each with its position."""
    after = _count(request, "after", default=0, most=2**31 - 1)
    limit = _count(request, "limit", default=DEFAULT_LIMIT, most=MAX_LIMIT)
    row = await _row(request, job_id)
    found = await parts_of(request).read_model.events(job_id, after, limit)
    events: list[dict[str, Any]] = [
        {
            "sequence": sequence,
            "position": f"{row.position.partition}:{offset}",
            "type": type_name,
            "time": timestamp(time),
            "data": from_json(data),
        }
        for sequence, offset, type_name, time, data in found
    ]
    following = events[-1]["sequence"] if events else after
    return success({"events": events, "next": following}, row.position)


@router.get("/api/jobs/{job_id}/deliveries", **openapi.GET_DELIVERIES)
async def get_deliveries(request: Request, job_id: str) -> Response:
    """Every attempt to tell the job's webhook, oldest first."""
    row = await _row(request, job_id)
    attempts = []
    for type_name, time, data in await parts_of(request).read_model.deliveries(job_id):
        attempt = from_json(data)
        outcome = type_name.split(".")[1].removeprefix("Webhook").lower()
        failed = {"reason": delivery_reason(attempt)} if "reason" in attempt else {}
        attempts.append({"time": timestamp(time), "outcome": outcome, **attempt, **failed})
    return success({"deliveries": attempts}, row.position)


async def _row(request: Request, job_id: str) -> JobRow:
    """The caller's job. Raises ApiError NOT_FOUND at once for what can be no id of ours."""
    if not _JOB_ID.fullmatch(job_id):
        raise not_found("job")
    return await parts_of(request).reading.job(job_id, caller_of(request).owner)


def _ended(row: JobRow) -> ApiError:
    return ApiError(
        409, ErrorCode.CONFLICT, f"the job has ended: it is {row.status.value}", {"status": row.status.value}
    )


def _wait(text: str | None) -> float:
    if text is None:
        return 0.0
    if not _SECONDS.fullmatch(text) or float(text) > MAX_WAIT_S:
        raise invalid_field("wait", f"must be a number of seconds from 0 to {MAX_WAIT_S}")
    return float(text)


def _count(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 10 or int(text) > most:
        raise invalid_field(name, f"must be a whole number from 0 to {most}")
    return int(text)


def _reason(body: dict[str, Any]) -> str | None:
    if unknown := sorted(body.keys() - {"reason"}):
        raise invalid_request(f"not supported here: {', '.join(unknown)[:200]}", supported=["reason"])
    reason = body.get("reason")
    if reason is None:
        return None
    if not isinstance(reason, str) or not 1 <= len(reason) <= MAX_REASON_CHARS or not reason.isprintable():
        raise invalid_field("reason", f"must be a text of 1 to {MAX_REASON_CHARS} characters")
    return reason
