"""What jobs made, as downloads: single files, the archive of a job, and those of a PDF (contract 2a, 11 and 12)."""

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from schemas.job_types.archives import files_of
from services.api.http.errors import invalid_field, not_found
from services.api.http.plain_route import PlainRoute
from services.api.jobs import openapi
from services.api.jobs.lookup import own_job
from services.api.outputs.responses import (
    ZIP,
    archive_response,
    check_completed,
    file_response,
    no_archive,
    not_yet,
)
from services.api.parts import parts_of
from services.api.read_model.job_rows import JobRow

router = APIRouter(tags=["downloads"], route_class=PlainRoute)

JSON = "application/json"
FLAGS = {"true": True, "1": True, "false": False, "0": False}


@router.get("/api/jobs/{job_id}/files/{path:path}", **openapi.GET_FILE)
async def get_file(request: Request, job_id: str, path: str) -> Response:
    """One file that a job made, by its name in `asset_urls`; or a range of it."""
    row = await own_job(request, job_id)
    if not row.status.terminal:
        return not_yet()
    if row.status is not Status.COMPLETED:
        raise not_found("file")
    outputs = parts_of(request).outputs
    return file_response(request, outputs, await outputs.find(row, path))


@router.get("/api/jobs/{job_id}/download-archive", **openapi.DOWNLOAD_ARCHIVE)
async def download_archive(request: Request, job_id: str) -> Response:
    """All that a job made, as a ZIP."""
    row = await own_job(request, job_id)
    if not row.status.terminal:
        return not_yet()
    check_completed(row)
    result = await _result(request, row)
    # On a thread: the results of a long document take a while to be written as JSON.
    archive = await asyncio.to_thread(job_types().of(row.job_type).archive, job_id, result)
    if archive is None:
        raise no_archive("this job made nothing to archive: a pdf job does with include_images, a session job always")
    outputs = parts_of(request).outputs
    if archive.ready is None:
        return await archive_response(outputs, row, archive)
    ready = await outputs.find(row, archive.ready)
    return file_response(request, outputs, ready, ZIP, archive.filename)


@router.get("/api/pdf/jobs/{job_id}/mistral-ocr-raw", **openapi.MISTRAL_RAW)
async def mistral_ocr_raw(request: Request, job_id: str) -> Response:
    """Mistral's whole answer as JSON; its images are in it only if asked for (contract A9)."""
    kind = "mistral_ocr_raw_with_images" if _flag(request, "include_images") else "mistral_ocr_raw"
    why = "there is no OCR answer: only the methods of Mistral make one"
    return await _pdf_file(request, job_id, kind, JSON, f"mistral_ocr_raw_{job_id}.json", why)


@router.get("/api/pdf/jobs/{job_id}/mistral-ocr-images", **openapi.MISTRAL_IMAGES)
async def mistral_ocr_images(request: Request, job_id: str) -> Response:
    """The images that Mistral found on the pages, as a ZIP."""
    why = "there are no OCR images: only the methods of Mistral make some, and only where a page has any"
    return await _pdf_file(request, job_id, "mistral_ocr_images", ZIP, f"mistral_ocr_images_{job_id}.zip", why)


@router.get("/api/pdf/jobs/{job_id}/download-pages-archive", **openapi.PAGES_ARCHIVE)
async def download_pages_archive(request: Request, job_id: str) -> Response:
    """The pages as images, as a ZIP."""
    why = "there is no archive of pages: the method makes none, or both page flags were false"
    return await _pdf_file(request, job_id, "pages_archive", ZIP, "pages.zip", why)


async def _pdf_file(request: Request, job_id: str, kind: str, media_type: str, filename: str, why_not: str) -> Response:
    """One of the named files of a PDF's results. Raises ApiError: NO_ARCHIVE (400), NOT_FOUND (404)."""
    row = await own_job(request, job_id)
    if not row.status.terminal:
        return not_yet()
    check_completed(row)
    name = files_of(await _result(request, row)).get(kind)
    if name is None or kind not in job_types().of(row.job_type).downloads:
        raise no_archive(why_not)
    outputs = parts_of(request).outputs
    return file_response(request, outputs, await outputs.find(row, name), media_type, filename)


async def _result(request: Request, row: JobRow) -> dict[str, object]:
    result = (await parts_of(request).reading.documents(row)).result
    if result is None:  # the blob is gone: erased a moment ago
        raise not_found("job")
    return result


def _flag(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false").lower()
    if text not in FLAGS:
        raise invalid_field(name, f"must be one of {', '.join(FLAGS)}", list(FLAGS))
    return FLAGS[text]
