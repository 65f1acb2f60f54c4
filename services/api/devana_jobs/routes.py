"""`/v1/jobs`: the jobs of the last 24 hours, as clients of the Devana API know them (contract 15a)."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.api.devana_jobs import openapi as openapi_devana
from services.api.devana_jobs.listing import asked_jobs
from services.api.http.answers import devana_success
from services.api.http.caller import caller_of
from services.api.http.plain_route import PlainRoute
from services.api.parts import parts_of

router = APIRouter(tags=["devana"], route_class=PlainRoute)


@router.get("/v1/jobs", **openapi_devana.LIST_JOBS)
@router.get("/v1/jobs/", include_in_schema=False)
async def list_jobs(request: Request) -> Response:
    """The caller's jobs, newest first. `type` takes a type or a status; filters combine."""
    asked = asked_jobs(request.query_params)
    return devana_success(await parts_of(request).devana_listing.jobs(caller_of(request).owner, asked))
