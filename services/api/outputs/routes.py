"""Downloads of jobs: output files, archives, and files of PDFs (docs/contract/secretary.md#archives, #mistral)."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from schemas.job_types.archives import files_of
from services.api.http.caller import caller_of
from services.api.http.errors import not_found
from services.api.http.routing import Routes, route
from services.api.jobs.reading import Reading
from services.api.outputs import openapi
from services.api.outputs.files import Outputs
from services.api.outputs.requests import RawAnswerQuery
from services.api.outputs.responses import ZIP, archive_response, check_completed, file_response, no_archive, not_yet
from services.api.read_model.job_rows import JobRow

JSON = "application/json"


class OutputRoutes(Routes, tag="downloads"):
    """Downloads of jobs."""

    reading: Reading
    outputs: Outputs

    @route("GET", "/api/jobs/{job_id}/files/{path:path}", operation=openapi.GET_FILE)
    async def get_file(self, request: Request, job_id: str, path: str) -> Response:
        """Return one output of a job, by its name in `asset_urls`; or a range of it."""
        row = await self.reading.job(job_id, caller_of(request).owner)
        if not row.status.terminal:
            return not_yet()
        if row.status is not Status.COMPLETED:
            raise not_found("file")
        return file_response(request, self.outputs, await self.outputs.find(row, path))

    @route("GET", "/api/jobs/{job_id}/download-archive", operation=openapi.DOWNLOAD_ARCHIVE)
    async def download_archive(self, request: Request, job_id: str) -> Response:
        """Return all outputs of a job as a ZIP."""
        row = await self.reading.job(job_id, caller_of(request).owner)
        if not row.status.terminal:
            return not_yet()
        check_completed(row)
        result = await self._result(row)
        # On a thread: writing the results of a long document as JSON would block other requests.
        archive = await asyncio.to_thread(job_types().of(row.job_type).archive, job_id, result)
        if archive is None:
            raise no_archive("this job has no archive: pdf jobs with include_images and session jobs have one")
        if archive.ready is None:
            return await archive_response(self.outputs, row, archive)
        ready = await self.outputs.find(row, archive.ready)
        return file_response(request, self.outputs, ready, ZIP, archive.filename)

    @route("GET", "/api/pdf/jobs/{job_id}/mistral-ocr-raw", operation=openapi.MISTRAL_RAW)
    async def mistral_ocr_raw(self, request: Request, job_id: str) -> Response:
        """Return Mistral's answer as JSON, with its images only on request (docs/contract/decisions.md#a9)."""
        query = RawAnswerQuery.of(request.query_params)
        kind = "mistral_ocr_raw_with_images" if query.include_images else "mistral_ocr_raw"
        why = "there is no OCR answer: only the Mistral methods produce one"
        return await self._pdf_file(request, job_id, kind, JSON, f"mistral_ocr_raw_{job_id}.json", why)

    @route("GET", "/api/pdf/jobs/{job_id}/mistral-ocr-images", operation=openapi.MISTRAL_IMAGES)
    async def mistral_ocr_images(self, request: Request, job_id: str) -> Response:
        """Return the images that Mistral found on the pages as a ZIP."""
        why = "there are no OCR images: only the Mistral methods produce them, and only from pages with images"
        return await self._pdf_file(request, job_id, "mistral_ocr_images", ZIP, f"mistral_ocr_images_{job_id}.zip", why)

    @route("GET", "/api/pdf/jobs/{job_id}/download-pages-archive", operation=openapi.PAGES_ARCHIVE)
    async def download_pages_archive(self, request: Request, job_id: str) -> Response:
        """Return the pages as images in a ZIP."""
        why = "there is no archive of pages: the method does not produce one, or both page flags were false"
        return await self._pdf_file(request, job_id, "pages_archive", ZIP, "pages.zip", why)

    async def _pdf_file(
        self, request: Request, job_id: str, kind: str, media_type: str, filename: str, why_not: str
    ) -> Response:
        """Return a file of a PDF's results by its kind. Raises ApiError: NO_ARCHIVE (400), NOT_FOUND (404)."""
        row = await self.reading.job(job_id, caller_of(request).owner)
        if not row.status.terminal:
            return not_yet()
        check_completed(row)
        name = files_of(await self._result(row)).get(kind)
        if name is None or kind not in job_types().of(row.job_type).downloads:
            raise no_archive(why_not)
        return file_response(request, self.outputs, await self.outputs.find(row, name), media_type, filename)

    async def _result(self, row: JobRow) -> dict[str, object]:
        result = (await self.reading.contents(row)).result
        if result is None:  # the blob was erased a moment ago
            raise not_found("job")
        return result
