"""`/api/jobs/batch`: create many jobs at once, and see how they stand."""

import asyncio
import re
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.api import openapi
from services.api.answers import success
from services.api.bodies import read_json
from services.api.caller import caller_of, header_user, idempotency_key
from services.api.errors import not_found
from services.api.parts import parts_of
from services.api.routes.plain import PlainRoute
from services.api.submissions import parse_batch
from services.api.views import created_batch

router = APIRouter(tags=["batches"], route_class=PlainRoute)

_BATCH_ID = re.compile(r"batch-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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


@router.get("/api/jobs/batch/{batch_id}", **openapi.GET_BATCH)
async def get_batch(request: Request, batch_id: str) -> Response:
    """A batch, its counts, and how each of its jobs stands."""
    if not _BATCH_ID.fullmatch(batch_id):
        raise not_found("batch")
    reading = parts_of(request).reading
    row = await reading.batch(batch_id, caller_of(request).owner)
    return success(await reading.shown_batch(row), row.position)
