"""`/api/jobs/{job_id}/pages`: the pages of a job, also while it runs."""

from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import success
from services.api.http.caller import caller_of
from services.api.http.routing import Routes, route
from services.api.jobs.reading import Reading
from services.api.pages import openapi
from services.api.pages.reading import JobPages
from services.api.pages.requests import PagesQuery


class JobPageRoutes(Routes, tag="jobs"):
    """`/api/jobs/{job_id}/pages`."""

    reading: Reading
    pages: JobPages

    @route("GET", "/api/jobs/{job_id}/pages", operation=openapi.GET_PAGES)
    async def get_pages(self, request: Request, job_id: str) -> Response:
        """Return the finished pages of a job after page `after`, while it runs and after its end."""
        query = PagesQuery.of(request.query_params)
        row = await self.reading.job(job_id, caller_of(request).owner)
        return success((await self.pages.after(row, query.after, query.limit)).shown(), row.position)
