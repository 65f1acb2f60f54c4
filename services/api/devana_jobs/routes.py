"""`/v1/jobs`: the jobs of the last 24 hours (docs/contract/devana.md#list-of-jobs)."""

from starlette.requests import Request
from starlette.responses import Response

from services.api.devana_jobs import openapi
from services.api.devana_jobs.listing import DevanaListing
from services.api.devana_jobs.requests import DevanaJobsQuery
from services.api.http.answers import devana_success
from services.api.http.caller import caller_of
from services.api.http.routing import Routes, route


class DevanaJobRoutes(Routes, tag="devana"):
    """`/v1/jobs`."""

    listing: DevanaListing

    @route("GET", "/v1/jobs", "/v1/jobs/", operation=openapi.LIST_JOBS)
    async def list_jobs(self, request: Request) -> Response:
        """Return the caller's jobs, newest first. `type` takes a type or a status; filters combine."""
        query = DevanaJobsQuery.of(request.query_params)
        return devana_success(await self.listing.jobs(caller_of(request).owner, query))
