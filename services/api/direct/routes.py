"""`/api/pdf/process…` and `/api/transformer/template`: one request, one job, answered at once or with its result."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from services.api.direct.requests import (
    MISTRAL_FIELDS,
    PDF_FIELDS,
    TEMPLATE_FIELDS,
    DirectRequest,
    Fields,
    acknowledgement,
    asked_of,
    outcome,
    renamed,
)
from services.api.http.answers import JSON, POSITION_HEADER
from services.api.http.bodies import canonical_sha256, read_json
from services.api.http.caller import caller_of, header_user, idempotency_key
from services.api.http.errors import ApiError, ReadModelUnavailableError, invalid_field, invalid_request
from services.api.http.forms import FIELD, FORM, MULTIPART, StoredUpload, form_of, keep_upload
from services.api.http.plain_route import PlainRoute
from services.api.jobs import openapi
from services.api.jobs.requests import submitted
from services.api.parts import parts_of
from services.api.read_model.job_rows import JobRow

router = APIRouter(tags=["direct"], route_class=PlainRoute)

TEMPLATE_WAIT_MS = 300_000  # for a template without a callback: longer than any provider may take


@router.post("/api/pdf/process", **openapi.PROCESS_PDF)
async def process_pdf(request: Request) -> Response:
    """Extracts from an uploaded PDF."""
    with _named_as_clients_know():
        asked, sha256 = await _form(request, PDF_FIELDS, needs_file=True)
        return await _run(request, "pdf", asked, sha256)


@router.post("/api/pdf/process-url", **openapi.PROCESS_URL)
async def process_pdf_url(request: Request) -> Response:
    """Extracts from a PDF that is fetched from an address."""
    with _named_as_clients_know():
        asked, sha256 = await _form(request, PDF_FIELDS)
        if "url" not in asked.parameters:
            raise invalid_field("url", "is required")
        return await _run(request, "pdf", asked, sha256)


@router.post("/api/pdf/process-mistral-ocr", **openapi.PROCESS_MISTRAL)
async def process_pdf_mistral(request: Request) -> Response:
    """Has an uploaded PDF read by Mistral's OCR, and its pages drawn."""
    with _named_as_clients_know():
        asked, sha256 = await _form(request, MISTRAL_FIELDS, needs_file=True)
        asked.parameters["extraction_method"] = "mistral_ocr_with_pages"
        return await _run(request, "pdf", asked, sha256)


@router.post("/api/transformer/template", **openapi.TRANSFORM)
async def transform(request: Request) -> Response:
    """Fills a template from a text or a page; answers with the result unless a callback is to get it."""
    with _named_as_clients_know():
        asked, sha256 = await _form(request, TEMPLATE_FIELDS)
        default_ms = 0 if asked.callback_url else TEMPLATE_WAIT_MS
        return await _run(request, "transformer", asked, sha256, default_ms)


async def _form(request: Request, fields: Fields, needs_file: bool = False) -> tuple[DirectRequest, str]:
    """What a form, or a JSON object, asks for, and the hash by which a repeat is the same; a file is kept."""
    parts = parts_of(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (MULTIPART, FORM):
        document = await read_json(request, parts.max_body_bytes)
        return _asked(request.url.path, document.value, fields, None, needs_file)
    async with form_of(request, parts.max_upload_bytes, parts.max_body_bytes) as form:
        asked_of(form.texts, fields)  # refused before a file is kept for it
        if form.upload is None:
            return _asked(request.url.path, form.texts, fields, None, needs_file)
        if not needs_file:
            raise invalid_request(f"{request.url.path} takes no file")
        kept = await keep_upload(parts.blobs, caller_of(request).owner, form.upload, parts.max_upload_bytes)
    return _asked(request.url.path, form.texts, fields, kept, needs_file)


def _asked(
    path: str, values: Mapping[str, Any], fields: Fields, kept: StoredUpload | None, needs_file: bool
) -> tuple[DirectRequest, str]:
    asked = asked_of(values, fields)
    if needs_file and kept is None and "url" not in asked.parameters:
        raise invalid_field(FIELD, "is required, or a url")
    if kept is not None:
        asked.parameters["filename"] = kept.filename
    return asked, canonical_sha256({**values, FIELD: kept and kept.sha256, "path": path})


async def _run(
    request: Request, job_type: str, asked: DirectRequest, sha256: str, default_wait_ms: int = 0
) -> Response:
    parts = parts_of(request)
    job = submitted(job_type, asked.parameters, parts.rules, header_user(request), sha256)
    created = await parts.creator.job(job, caller_of(request), idempotency_key(request))
    headers = {**created.headers, POSITION_HEADER: str(created.position)}
    wait_ms = default_wait_ms if asked.wait_ms is None else asked.wait_ms
    if wait_ms and (row := await _ended(request, created.subject, wait_ms)) is not None:
        status, answer = outcome(row, await parts.reading.documents(row), asked)
        return Response(to_json(answer), status, headers, JSON)
    accepted = acknowledgement(created.subject, job_type, asked, created.created_at)
    return Response(to_json(accepted), 202, headers, JSON)


async def _ended(request: Request, job_id: str, wait_ms: int) -> JobRow | None:
    """The job if it ends within the time; None where that cannot be told: it is accepted all the same."""
    reading = parts_of(request).reading
    try:
        row = await reading.after_end(await reading.job(job_id, caller_of(request).owner), wait_ms / 1000)
    except ReadModelUnavailableError:
        return None
    return row if row.status.terminal else None


@contextmanager
def _named_as_clients_know() -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        raise renamed(error) from error
