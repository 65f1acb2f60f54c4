"""The pictures that a job made of its pages: outputs that its type declares, also of the run that goes on."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from schemas.errors import ErrorCode
from schemas.pages import by_size
from services.api.http.answers import has_tag
from services.api.http.errors import ApiError, not_found
from services.api.outputs.files import Output, Outputs
from services.api.outputs.responses import file_response
from services.api.read_model.job_rows import JobRow

MAX_DIGITS: Final = 7
WITHOUT: Final = (
    "this job has no picture of that page: a pdf job draws its pages with include_images, or by a method that begins "
    "with preview"
)
CACHING: Final = {"Cache-Control": "private, no-cache"}
"""A browser asks each time, with the ETag: an erased picture must not be shown from its cache."""


async def find_picture(outputs: Outputs, row: JobRow, page: str, width: int) -> Output | None:
    """Return the picture of a page that fits a width best; None if it may still be drawn.

    Raises ApiError NOT_FOUND (404) for a page or a job without one.
    """
    number = int(page) if page.isascii() and page.isdecimal() and len(page) <= MAX_DIGITS else 0
    if number < 1:
        raise not_found("page")
    if row.status is Status.COMPLETED or not row.status.terminal:
        for kind in by_size(job_types().of(row.job_type).pictures, width):
            if (found := await _existing(outputs, row, kind.of(number))) is not None:
                return found
    if row.status.terminal or not job_types().of(row.job_type).pictures:
        raise ApiError(404, ErrorCode.NOT_FOUND, WITHOUT)
    return None


async def has_picture(outputs: Outputs, row: JobRow, page: int) -> bool:
    """Return whether the job has a picture of a page now."""
    kinds = job_types().of(row.job_type).pictures
    return any([await _existing(outputs, row, kind.of(page)) is not None for kind in kinds])


def picture_response(request: Request, outputs: Outputs, picture: Output) -> Response:
    """Return the picture; 304 if the client has it."""
    response = file_response(request, outputs, picture)
    response.headers.update(CACHING)
    tag = response.headers["ETag"]
    if has_tag(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"ETag": tag, **CACHING})
    return response


async def _existing(outputs: Outputs, row: JobRow, name: str) -> Output | None:
    try:
        return await outputs.find(row, name)
    except ApiError:
        return None
