"""`/api/pdf/process…` and `/api/transformer/template`: one job per request, answered at once or with its result."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from piperoll.store.blobs import AsyncBlobs
from services.api.direct import openapi
from services.api.direct.requests import (
    MAX_WAIT_MS,
    MISTRAL_FORM,
    PDF_FORM,
    TEMPLATE_FORM,
    DirectForm,
    DirectRequest,
    acknowledgement,
    direct_request,
    outcome,
    renamed,
)
from services.api.http.admission import Activity, admission_of
from services.api.http.answers import JSON, POSITION_HEADER
from services.api.http.bodies import BodyLimits, canonical_sha256, read_json
from services.api.http.caller import IDEMPOTENCY_KEY, USER_ID, caller_of
from services.api.http.errors import ApiError, invalid_field, invalid_request
from services.api.http.forms import FIELD, FORM, MULTIPART, StoredUpload, form_of, media_type_of, store_upload
from services.api.http.routing import Routes, route
from services.api.jobs.creation import Creator
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Rules, submitted


class DirectRoutes(Routes, tag="direct"):
    """`/api/pdf/process…` and `/api/transformer/template`."""

    rules: Rules
    creator: Creator
    reading: Reading
    blobs: AsyncBlobs
    limits: BodyLimits

    @route("POST", "/api/pdf/process", operation=openapi.PROCESS_PDF)
    async def process_pdf(self, request: Request) -> Response:
        """Extract from an uploaded PDF."""
        with _renamed_errors():
            direct, sha256 = await self._read(request, PDF_FORM, needs_file=True)
            return await self._run(request, "pdf", direct, sha256)

    @route("POST", "/api/pdf/process-url", operation=openapi.PROCESS_URL)
    async def process_pdf_url(self, request: Request) -> Response:
        """Extract from a PDF at an address."""
        with _renamed_errors():
            direct, sha256 = await self._read(request, PDF_FORM)
            if "url" not in direct.parameters:
                raise invalid_field("url", "is required")
            return await self._run(request, "pdf", direct, sha256)

    @route("POST", "/api/pdf/process-mistral-ocr", operation=openapi.PROCESS_MISTRAL)
    async def process_pdf_mistral(self, request: Request) -> Response:
        """Read an uploaded PDF with Mistral's OCR, and render its pages."""
        with _renamed_errors():
            direct, sha256 = await self._read(request, MISTRAL_FORM, needs_file=True)
            direct.parameters["extraction_method"] = "mistral_ocr_with_pages"
            return await self._run(request, "pdf", direct, sha256)

    @route("POST", "/api/transformer/template", operation=openapi.TRANSFORM)
    async def transform(self, request: Request) -> Response:
        """Fill a template from a text or a page. Without a callback the answer waits for the result."""
        with _renamed_errors():
            direct, sha256 = await self._read(request, TEMPLATE_FORM)
            default_ms = 0 if direct.callback_url else MAX_WAIT_MS
            return await self._run(request, "transformer", direct, sha256, default_ms)

    async def _read(self, request: Request, fields: DirectForm, needs_file: bool = False) -> tuple[DirectRequest, str]:
        """Return the request in a form or JSON object, and the hash that identifies its repeats; a file is stored."""
        stored: StoredUpload | None = None
        if media_type_of(request) not in (MULTIPART, FORM):
            values: Mapping[str, Any] = (await read_json(request, self.limits.json_bytes)).value
        else:
            async with form_of(request, self.limits) as form:
                values = form.texts
                direct_request(values, fields)  # refused before a file is stored
                if form.upload is not None:
                    if not needs_file:
                        raise invalid_request(f"{request.url.path} does not accept a file")
                    owner, limit = caller_of(request).owner, self.limits.upload_bytes
                    size, key = form.upload.size or 0, IDEMPOTENCY_KEY.of(request)
                    await self.creator.admit_with_file(caller_of(request), size, key)
                    stored = await store_upload(self.blobs, owner, form.upload, limit)
        direct = direct_request(values, fields)
        if needs_file and stored is None and "url" not in direct.parameters:
            raise invalid_field(FIELD, "is required, or a url")
        if stored is not None:
            direct.parameters["filename"] = stored.filename
        return direct, canonical_sha256({**values, FIELD: stored and stored.sha256, "path": request.url.path})

    async def _run(
        self, request: Request, job_type: str, direct: DirectRequest, sha256: str, default_wait_ms: int = 0
    ) -> Response:
        caller = caller_of(request)
        job = submitted(job_type, direct.parameters, self.rules, USER_ID.of(request), sha256)
        wait_ms = default_wait_ms if direct.wait_ms is None else direct.wait_ms
        if wait_ms:
            admission_of(request).wait_as(Activity.LONG_POLLS)  # before the job exists, which a refusal would hide
        admitted = "filename" in direct.parameters  # with the file that came with the request
        created = await self.creator.job(job, caller, IDEMPOTENCY_KEY.of(request), admitted)
        headers = {**created.headers, POSITION_HEADER: str(created.position)}
        row = await self.reading.ended(created.subject, caller.owner, wait_ms / 1000) if wait_ms else None
        if row is not None:
            status, answer = outcome(direct, row, await self.reading.contents(row))
            return Response(to_json(answer), status, headers, JSON)
        accepted = acknowledgement(direct, created.subject, job_type, created.created_at)
        return Response(to_json(accepted), 202, headers, JSON)


@contextmanager
def _renamed_errors() -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        raise renamed(error) from error
