"""`/api/pdf/process…` and `/api/transformer/template`: one request, one job, answered at once or with its result."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from piperoll.store.blobs import AsyncBlobs
from services.api.direct import openapi
from services.api.direct.requests import (
    MISTRAL_FORM,
    PDF_FORM,
    TEMPLATE_FORM,
    DirectForm,
    DirectRequest,
    acknowledgement,
    asked_of,
    outcome,
    renamed,
)
from services.api.http.answers import JSON, POSITION_HEADER
from services.api.http.bodies import BodyLimits, canonical_sha256, read_json
from services.api.http.caller import IDEMPOTENCY_KEY, USER_ID, caller_of
from services.api.http.errors import ApiError, invalid_field, invalid_request
from services.api.http.forms import FIELD, FORM, MULTIPART, StoredUpload, form_of, keep_upload
from services.api.http.routing import Routes, route
from services.api.jobs.creation import Creator
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Rules, submitted

TEMPLATE_WAIT_MS = 300_000  # for a template without a callback: longer than any provider may take


class DirectRoutes(Routes, tag="direct"):
    """`/api/pdf/process…` and `/api/transformer/template`."""

    rules: Rules
    creator: Creator
    reading: Reading
    blobs: AsyncBlobs
    limits: BodyLimits

    @route("POST", "/api/pdf/process", operation=openapi.PROCESS_PDF)
    async def process_pdf(self, request: Request) -> Response:
        """Extracts from an uploaded PDF."""
        with _named_as_clients_know():
            asked, sha256 = await self._form(request, PDF_FORM, needs_file=True)
            return await self._run(request, "pdf", asked, sha256)

    @route("POST", "/api/pdf/process-url", operation=openapi.PROCESS_URL)
    async def process_pdf_url(self, request: Request) -> Response:
        """Extracts from a PDF that is fetched from an address."""
        with _named_as_clients_know():
            asked, sha256 = await self._form(request, PDF_FORM)
            if "url" not in asked.parameters:
                raise invalid_field("url", "is required")
            return await self._run(request, "pdf", asked, sha256)

    @route("POST", "/api/pdf/process-mistral-ocr", operation=openapi.PROCESS_MISTRAL)
    async def process_pdf_mistral(self, request: Request) -> Response:
        """Has an uploaded PDF read by Mistral's OCR, and its pages drawn."""
        with _named_as_clients_know():
            asked, sha256 = await self._form(request, MISTRAL_FORM, needs_file=True)
            asked.parameters["extraction_method"] = "mistral_ocr_with_pages"
            return await self._run(request, "pdf", asked, sha256)

    @route("POST", "/api/transformer/template", operation=openapi.TRANSFORM)
    async def transform(self, request: Request) -> Response:
        """Fills a template from a text or a page; answers with the result unless a callback is to get it."""
        with _named_as_clients_know():
            asked, sha256 = await self._form(request, TEMPLATE_FORM)
            default_ms = 0 if asked.callback_url else TEMPLATE_WAIT_MS
            return await self._run(request, "transformer", asked, sha256, default_ms)

    async def _form(self, request: Request, wanted: DirectForm, needs_file: bool = False) -> tuple[DirectRequest, str]:
        """What a form, or a JSON object, asks for, and the hash by which a repeat is the same; a file is kept."""
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type not in (MULTIPART, FORM):
            document = await read_json(request, self.limits.json_bytes)
            return _asked(request.url.path, document.value, wanted, None, needs_file)
        async with form_of(request, self.limits) as form:
            asked_of(form.texts, wanted)  # refused before a file is kept for it
            if form.upload is None:
                return _asked(request.url.path, form.texts, wanted, None, needs_file)
            if not needs_file:
                raise invalid_request(f"{request.url.path} takes no file")
            kept = await keep_upload(self.blobs, caller_of(request).owner, form.upload, self.limits.upload_bytes)
        return _asked(request.url.path, form.texts, wanted, kept, needs_file)

    async def _run(
        self, request: Request, job_type: str, asked: DirectRequest, sha256: str, default_wait_ms: int = 0
    ) -> Response:
        job = submitted(job_type, asked.parameters, self.rules, USER_ID.of(request), sha256)
        created = await self.creator.job(job, caller_of(request), IDEMPOTENCY_KEY.of(request))
        headers = {**created.headers, POSITION_HEADER: str(created.position)}
        wait_ms = default_wait_ms if asked.wait_ms is None else asked.wait_ms
        if (
            wait_ms
            and (row := await self.reading.ended(created.subject, caller_of(request).owner, wait_ms / 1000)) is not None
        ):
            status, answer = outcome(row, await self.reading.documents(row), asked)
            return Response(to_json(answer), status, headers, JSON)
        accepted = acknowledgement(created.subject, job_type, asked, created.created_at)
        return Response(to_json(accepted), 202, headers, JSON)


def _asked(
    path: str, values: Mapping[str, Any], wanted: DirectForm, kept: StoredUpload | None, needs_file: bool
) -> tuple[DirectRequest, str]:
    asked = asked_of(values, wanted)
    if needs_file and kept is None and "url" not in asked.parameters:
        raise invalid_field(FIELD, "is required, or a url")
    if kept is not None:
        asked.parameters["filename"] = kept.filename
    return asked, canonical_sha256({**values, FIELD: kept and kept.sha256, "path": path})


@contextmanager
def _named_as_clients_know() -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        raise renamed(error) from error
