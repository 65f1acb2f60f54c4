"""`/api/jobs/batch` and `/api/jobs/batches`: create many jobs at once, see how they stand, list and erase them."""

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from schemas.ids import member_id
from services.api.http.answers import success
from services.api.http.bodies import read_json
from services.api.http.caller import caller_of, header_user, idempotency_key
from services.api.http.plain_route import PlainRoute
from services.api.jobs import openapi
from services.api.jobs.listing import asked_batches
from services.api.jobs.lookup import own_batch
from services.api.jobs.requests import parse_batch
from services.api.jobs.views import created_batch
from services.api.parts import parts_of
from services.api.read_model.job_rows import BatchRow

router = APIRouter(tags=["batches"], route_class=PlainRoute)


@router.post("/api/jobs/batch", **openapi.CREATE_BATCH)
@router.post("/api/jobs/batch/", include_in_schema=False)
async def create_batch(request: Request) -> Response:
    """Accepts all jobs or none."""
    parts, caller = parts_of(request), caller_of(request)
    key, user = idempotency_key(request), header_user(request)
    document = await read_json(request, parts.max_body_bytes)
    # On a thread: ten thousand jobs take a while to check, and other requests should not wait for it.
    batch = await asyncio.to_thread(parse_batch, document, parts.rules, user)
    created = await parts.creator.batch(batch, caller, key)
    job_ids = created.member_ids(len(batch.jobs))
    view = created_batch(created.subject, batch, job_ids, created.created_at)
    data: dict[str, Any] = {"batch_id": created.subject, "batch": view, "job_ids": job_ids}
    return success(data, created.position, headers=created.headers)


@router.get("/api/jobs/batches", **openapi.LIST_BATCHES)
@router.get("/api/jobs/batches/", include_in_schema=False)
async def list_batches(request: Request) -> Response:
    """The owner's batches with their counts, newest first, without their jobs."""
    asked = asked_batches(request.query_params, header_user(request))
    return success(await parts_of(request).listing.batches(caller_of(request).owner, asked))


@router.get("/api/jobs/batch/{batch_id}", **openapi.GET_BATCH)
async def get_batch(request: Request, batch_id: str) -> Response:
    """A batch, its counts, and how each of its jobs stands."""
    row = await own_batch(request, batch_id)
    return success(await parts_of(request).reading.shown_batch(row), row.position)


@router.delete("/api/jobs/batch/{batch_id}", **openapi.DELETE_BATCH)
async def delete_batch(request: Request, batch_id: str) -> Response:
    """Erases a batch's jobs, then the batch. 202 when that was not read back in time."""
    parts = parts_of(request)
    row = await own_batch(request, batch_id)
    positions = await parts.commands.erase_batch(batch_id, _unerased(row), caller_of(request))
    passed = await parts.reading.passed(*positions)
    data = {"batch_id": batch_id, "message": "batch deleted", "jobs_deleted": len(positions) - 1}
    return success(data, positions[-1], status=200 if passed else 202)


def _unerased(row: BatchRow) -> list[str]:
    """The members that are still there, also those that nobody created yet."""
    gone = {member.job_id for member in row.members if member.erased}
    members = (member_id(row.batch.batch_id, index) for index in range(row.batch.count))
    return [job_id for job_id in members if job_id not in gone]
