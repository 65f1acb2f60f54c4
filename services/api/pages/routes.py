"""`/api/jobs/{job_id}/pages`: the pages of a job and their pictures, also while it runs."""

from starlette.requests import Request
from starlette.responses import Response

from services.api.http.answers import success
from services.api.http.caller import caller_of
from services.api.http.routing import Routes, route
from services.api.jobs.reading import Reading
from services.api.outputs.files import Outputs
from services.api.outputs.responses import not_yet
from services.api.pages import openapi
from services.api.pages.passages import boxes_of
from services.api.pages.pictures import find_picture, has_picture, picture_response
from services.api.pages.reading import JobPages
from services.api.pages.requests import PagesQuery, PassageQuery, PictureQuery
from services.api.pages.words import words_of


class JobPageRoutes(Routes, tag="jobs"):
    """`/api/jobs/{job_id}/pages`."""

    reading: Reading
    pages: JobPages
    outputs: Outputs

    @route("GET", "/api/jobs/{job_id}/pages", operation=openapi.GET_PAGES)
    async def get_pages(self, request: Request, job_id: str) -> Response:
        """Return the finished pages of a job after page `after`, while it runs and after its end."""
        query = PagesQuery.of(request.query_params)
        row = await self.reading.job(job_id, caller_of(request).owner)
        return success((await self.pages.after(row, query.after, query.limit)).shown(), row.position)

    @route("GET", "/api/jobs/{job_id}/pages/passage", operation=openapi.FIND_PASSAGE)
    async def find_passage(self, request: Request, job_id: str) -> Response:
        """Return the page of a passage, and the boxes of its lines where the job kept the words of the page."""
        query = PassageQuery.of(request.query_params)
        row = await self.reading.job(job_id, caller_of(request).owner)
        found = await self.pages.passage(row, query.text)
        if found is None:
            return success({"page": None, "picture": False, "boxes": []}, row.position)
        boxes = boxes_of(found.text, await words_of(self.outputs, row, found.page))
        picture = await has_picture(self.outputs, row, found.page)
        return success({"page": found.page, "picture": picture, "boxes": boxes}, row.position)

    @route("GET", "/api/jobs/{job_id}/pages/{page}/picture", operation=openapi.GET_PICTURE)
    async def get_picture(self, request: Request, job_id: str, page: str) -> Response:
        """Return the picture that a job made of a page, once it is drawn; 202 before."""
        query = PictureQuery.of(request.query_params)
        row = await self.reading.job(job_id, caller_of(request).owner)
        picture = await find_picture(self.outputs, row, page, query.width)
        return not_yet() if picture is None else picture_response(request, self.outputs, picture)
