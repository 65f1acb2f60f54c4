"""`/api/jobs/batch` and `/api/jobs/batches`: create, read, list and erase batches of jobs."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schemas.ids import member_id
from services.api.batches import openapi
from services.api.batches.listing import BatchListing
from services.api.batches.requests import BatchListQuery, parse_batch
from services.api.batches.views import created_batch
from services.api.http.answers import success
from services.api.http.bodies import read_json
from services.api.http.caller import IDEMPOTENCY_KEY, USER_ID, caller_of
from services.api.http.routing import Routes, route
from services.api.jobs.commands import Commands
from services.api.jobs.creation import Creator
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Rules
from services.api.read_model.job_rows import BatchRow


class BatchRoutes(Routes, tag="batches"):
    """`/api/jobs/batch` and `/api/jobs/batches`."""

    rules: Rules
    commands: Commands
    creator: Creator
    reading: Reading
    listing: BatchListing
    max_body_bytes: int

    @route("POST", openapi.PATH, f"{openapi.PATH}/", operation=openapi.CREATE_BATCH)
    async def create_batch(self, request: Request) -> Response:
        """Accept all jobs or none."""
        caller = caller_of(request)
        key, user = IDEMPOTENCY_KEY.of(request), USER_ID.of(request)
        sent = await read_json(request, self.max_body_bytes)
        # On a thread: validating ten thousand jobs would block other requests.
        batch = await asyncio.to_thread(parse_batch, sent, self.rules, user)
        created = await self.creator.batch(batch, caller, key)
        job_ids = created.member_ids(len(batch.jobs))
        view = created_batch(created.subject, batch, job_ids, created.created_at)
        data: dict[str, Any] = {"batch_id": created.subject, "batch": view, "job_ids": job_ids}
        return success(data, created.position, headers=created.headers)

    @route("GET", "/api/jobs/batches", "/api/jobs/batches/", operation=openapi.LIST_BATCHES)
    async def list_batches(self, request: Request) -> Response:
        """Return the owner's batches with their counts, newest first, without their jobs."""
        query = BatchListQuery.of(request.query_params)
        return success(await self.listing.batches(caller_of(request).owner, query, USER_ID.of(request)))

    @route("GET", "/api/jobs/batch/{batch_id}", operation=openapi.GET_BATCH)
    async def get_batch(self, request: Request, batch_id: str) -> Response:
        """Return a batch, its counts, and the status of each of its jobs."""
        row = await self.reading.batch(batch_id, caller_of(request).owner)
        return success(await self.listing.view_of(row), row.position)

    @route("DELETE", "/api/jobs/batch/{batch_id}", operation=openapi.DELETE_BATCH)
    async def delete_batch(self, request: Request, batch_id: str) -> Response:
        """Erase a batch's jobs, then the batch. 202 if that was not read back in time."""
        row = await self.reading.batch(batch_id, caller_of(request).owner)
        positions = await self.commands.erase_batch(batch_id, _unerased(row), caller_of(request))
        passed = await self.reading.catching_up.passed(*positions)
        data = {"batch_id": batch_id, "message": "batch deleted", "jobs_deleted": len(positions) - 1}
        return success(data, positions[-1], status=200 if passed else 202)


def _unerased(row: BatchRow) -> list[str]:
    """Return the members that were not erased, also those that were not created yet."""
    erased = {member.job_id for member in row.members if member.erased}
    members = (member_id(row.batch.batch_id, index) for index in range(row.batch.count))
    return [job_id for job_id in members if job_id not in erased]
