"""Redelivery of one job's webhook, or of all held or given up at a receiver (docs/contract/additions.md#redelivery)."""

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
    """`/api/jobs/{job_id}/deliveries/redeliver` and `/api/deliveries/redeliver`."""

    redelivery: Redelivery
    reading: Reading
    max_body_bytes: int

    @route("POST", "/api/jobs/{job_id}/deliveries/redeliver", operation=openapi.ONE)
    async def redeliver(self, request: Request, job_id: str) -> Response:
        """Send the final webhook of a job again. 409 while it follows its schedule; 202 if the request was not read
        back in time."""
        body = RedeliverBody.read((await read_json(request, self.max_body_bytes, optional=True)).value)
        row = await self.reading.job(job_id, caller_of(request).owner)
        requested = await self.redelivery.of_job(row, body.delivery_id, caller_of(request))
        data = {"job_id": job_id, "delivery_id": requested.delivery_id, "request": requested.request}
        return success(data, requested.position, status=200 if requested.passed else 202)

    @route("POST", "/api/deliveries/redeliver", operation=openapi.MANY)
    async def redeliver_many(self, request: Request) -> Response:
        """Count the webhooks held or given up at a receiver, and with `dry_run: false` send them again."""
        body = RedeliverManyBody.read((await read_json(request, self.max_body_bytes)).value)
        requested = await self.redelivery.at_origin(body.origin, body.since, body.dry_run, caller_of(request))
        data: dict[str, Any] = {"count": requested.count, "left": requested.left, "dry_run": body.dry_run}
        return success(data, requested.position, status=200 if requested.passed else 202)
