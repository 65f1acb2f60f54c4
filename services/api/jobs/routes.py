"""`/api/jobs`: create, list, read, follow, cancel, restart and erase jobs."""

from typing import Any

from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from piperoll.domain.job import Status
from services.api.http.admission import Activity, admission_of
from services.api.http.answers import success, timestamp
from services.api.http.bodies import read_json
from services.api.http.caller import IDEMPOTENCY_KEY, USER_ID, caller_of
from services.api.http.errors import ApiError, conflict
from services.api.http.routing import Routes, route
from services.api.jobs import openapi
from services.api.jobs.commands import Commands
from services.api.jobs.creation import Creator
from services.api.jobs.listing import JobListing
from services.api.jobs.query_strings import CountsQuery, EventsQuery, JobListQuery, JobQuery
from services.api.jobs.reading import Reading
from services.api.jobs.requests import CancelBody, Rules, Submission, parse_job
from services.api.jobs.restart import restart_of
from services.api.jobs.stream import HEADERS, MEDIA_TYPE, job_stream
from services.api.jobs.views import client_id, created_job
from services.api.jobs.wording import delivery_outcome, delivery_reason
from services.api.read_model.job_rows import JobRow
from services.api.read_model.jobs import ReadModel

INTERNAL = frozenset({"origin_sha256"})
"""Fields of a delivery's fact that only the notifier uses."""


class JobCollectionRoutes(Routes, tag="jobs"):
    """`/api/jobs/`: create and list."""

    rules: Rules
    creator: Creator
    listing: JobListing
    max_body_bytes: int

    @route("POST", "/api/jobs/", "/api/jobs", operation=openapi.CREATE_JOB)
    async def create_job(self, request: Request) -> Response:
        """Accept a job; it runs later. The answer follows once the log has it."""
        user = USER_ID.of(request)
        job = parse_job(await read_json(request, self.max_body_bytes), self.rules, user)
        return await _created(request, self.creator, job)

    @route("GET", "/api/jobs/", "/api/jobs", operation=openapi.LIST_JOBS)
    async def list_jobs(self, request: Request) -> Response:
        """Return the owner's jobs, newest first, without their results and logs. Filters combine."""
        query = JobListQuery.of(request.query_params)
        return success(await self.listing.jobs(caller_of(request).owner, query, USER_ID.of(request)))

    @route("GET", "/api/jobs/counts", operation=openapi.COUNT_JOBS)
    async def count_jobs(self, request: Request) -> Response:
        """Return the number of the owner's jobs of each status. Filters combine."""
        query = CountsQuery.of(request.query_params)
        return success(await self.listing.counts(caller_of(request).owner, query, USER_ID.of(request)))


class JobRoutes(Routes, tag="jobs"):
    """`/api/jobs/{job_id}`: read, follow, cancel, restart and erase."""

    rules: Rules
    commands: Commands
    creator: Creator
    reading: Reading
    read_model: ReadModel
    max_body_bytes: int

    @route("GET", "/api/jobs/{job_id}", operation=openapi.GET_JOB)
    async def get_job(self, request: Request, job_id: str) -> Response:
        """Return a job's status, progress, results and log. `wait` delays the answer until the status changes."""
        query = JobQuery.of(request.query_params)
        row = await self.reading.job(job_id, caller_of(request).owner)
        if query.wait and not row.status.terminal:
            admission_of(request).wait_as(Activity.LONG_POLLS)
        row = await self.reading.after_change(row, query.wait)
        return success(await self.reading.job_view_of(row), row.position)

    @route("DELETE", "/api/jobs/{job_id}", operation=openapi.DELETE_JOB)
    async def delete_job(self, request: Request, job_id: str) -> Response:
        """Erase a job and its outputs; a running one is stopped. 202 if that was not read back in time."""
        job = (await self.reading.job(job_id, caller_of(request).owner)).job
        position = await self.commands.erase_job(job_id, job.parameters if job else None, caller_of(request))
        passed = await self.reading.catching_up.passed(position)
        return success({"job_id": job_id, "message": "job deleted"}, position, status=200 if passed else 202)

    @route("POST", "/api/jobs/{job_id}/cancel", operation=openapi.CANCEL_JOB)
    async def cancel_job(self, request: Request, job_id: str) -> Response:
        """Stop a job. 409 if it had ended before; 202 if the outcome is unknown yet."""
        body = CancelBody.read((await read_json(request, self.max_body_bytes, optional=True)).value)
        row = await self.reading.job(job_id, caller_of(request).owner)
        if row.status.terminal:
            raise _ended(row)
        position = await self.commands.cancel_job(job_id, body.reason, caller_of(request))
        passed = await self.reading.catching_up.passed(position)
        row = await self.reading.job(job_id, caller_of(request).owner)
        if passed and row.status is not Status.CANCELLED:
            raise _ended(row)
        return success(await self.reading.job_view_of(row), position, status=200 if passed else 202)

    @route("POST", "/api/jobs/{job_id}/restart", operation=openapi.RESTART_JOB)
    async def restart_job(self, request: Request, job_id: str) -> Response:
        """Repeat a job as a new job with the same parameters. 409 if the old one has not ended."""
        row = await self.reading.job(job_id, caller_of(request).owner)
        if not row.status.terminal:
            status = row.status.value
            raise conflict(f"the job has not ended: it is {status}; cancel it or wait until it ends", status=status)
        return await _created(request, self.creator, await restart_of(self.reading, self.commands, self.rules, row))

    @route("GET", "/api/jobs/{job_id}/events", operation=openapi.GET_EVENTS)
    async def get_events(self, request: Request, job_id: str) -> Response:
        """Return a job's facts in the log's order, each with its position."""
        query = EventsQuery.of(request.query_params)
        row = await self.reading.job(job_id, caller_of(request).owner)
        found = await self.read_model.events(job_id, query.after, query.limit)
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
        following = events[-1]["sequence"] if events else query.after
        return success({"events": events, "next": following}, row.position)

    @route("GET", "/api/jobs/{job_id}/deliveries", operation=openapi.GET_DELIVERIES)
    async def get_deliveries(self, request: Request, job_id: str) -> Response:
        """Return every attempt to deliver the job's webhooks and every request for a redelivery, oldest first."""
        row = await self.reading.job(job_id, caller_of(request).owner)
        attempts = []
        for type_name, time, data in await self.read_model.deliveries(job_id):
            attempt = {name: value for name, value in from_json(data).items() if name not in INTERNAL}
            outcome = delivery_outcome(type_name.split(".")[1])
            failed = {"reason": delivery_reason(attempt)} if "reason" in attempt else {}
            attempts.append({"time": timestamp(time), "outcome": outcome, **attempt, **failed})
        return success({"deliveries": attempts}, row.position)

    @route("GET", "/api/jobs/{job_id}/stream", operation=openapi.STREAM_JOB)
    async def stream_job(self, request: Request, job_id: str) -> Response:
        """Stream a job's changes. 204 for a client that has seen its end, so that it does not reconnect."""
        row = await self.reading.job(job_id, caller_of(request).owner)
        last_seen = _event_id(request.headers.get("last-event-id"))
        if last_seen is not None and row.status.terminal and row.standing.sequence <= last_seen:
            return Response(status_code=204)
        admission_of(request).wait_as(Activity.STREAMS)
        events = job_stream(self.reading, row, client_id(row, await self.reading.contents(row)), last_seen)
        return StreamingResponse(events, 200, HEADERS, MEDIA_TYPE)


async def _created(request: Request, creator: Creator, job: Submission) -> Response:
    created = await creator.job(job, caller_of(request), IDEMPOTENCY_KEY.of(request))
    data = {"job_id": created.subject, "job": created_job(created.subject, job, created.created_at)}
    return success(data, created.position, headers=created.headers)


def _ended(row: JobRow) -> ApiError:
    return conflict(f"the job has ended: it is {row.status.value}", status=row.status.value)


def _event_id(header: str | None) -> int | None:
    """Parse the id of an event; None for any other text."""
    if header is None or not header.isascii() or not header.isdecimal() or len(header) > 10:
        return None
    return int(header)
