"""Redelivery of webhooks: one job's, or all that were held or given up at a receiver (contract 2e)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import success
from services.api.http.bodies import read_json
from services.api.http.caller import caller_of
from services.api.http.routing import Routes, route
from services.api.jobs.reading import Reading
from services.api.redelivery import openapi
from services.api.redelivery.commands import Redelivery
from services.api.redelivery.requests import RedeliverBody, RedeliverManyBody


class RedeliveryRoutes(Routes, tag="jobs"):
    """Redelivery."""

    redelivery: Redelivery
    reading: Reading
    max_body_bytes: int

    @route("POST", "/api/jobs/{job_id}/deliveries/redeliver", operation=openapi.ONE)
    async def redeliver(self, request: Request, job_id: str) -> Response:
        """Sends the final webhook of a job again. 409 while it is still on its own schedule; 202 when the
        request was not read back in time."""
        body = RedeliverBody.read((await read_json(request, self.max_body_bytes, optional=True)).value)
        row = await self.reading.job(job_id, caller_of(request).owner)
        asked = await self.redelivery.of_job(row, body.delivery_id, caller_of(request))
        data = {"job_id": job_id, "delivery_id": asked.delivery_id, "request": asked.request}
        return success(data, asked.position, status=200 if asked.passed else 202)

    @route("POST", "/api/deliveries/redeliver", operation=openapi.MANY)
    async def redeliver_many(self, request: Request) -> Response:
        """Counts the webhooks held or given up at a receiver, and with `dry_run: false` sends them again."""
        body = RedeliverManyBody.read((await read_json(request, self.max_body_bytes)).value)
        asked = await self.redelivery.at_origin(body.origin, body.since, body.dry_run, caller_of(request))
        data: dict[str, Any] = {"count": asked.count, "left": asked.left, "dry_run": body.dry_run}
        return success(data, asked.position, status=200 if asked.passed else 202)
