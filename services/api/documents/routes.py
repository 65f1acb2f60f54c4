"""`/v1/documents`: add, read, extract again and remove documents (docs/contract/devana.md#retry, #documents)."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.job_types.declaration import Makes
from services.api.documents import openapi
from services.api.documents.commands import DocumentCommands
from services.api.documents.jobs import DocumentJobs, reading_of, still_running
from services.api.documents.requests import (
    AddDocumentQuery,
    DocumentForm,
    DocumentPageQuery,
    ReextractQuery,
    document_id_of,
    folder_id_of,
    is_document_id,
)
from services.api.documents.upload import AddedDocument, DocumentIntake
from services.api.documents.views import document_status, document_view, listed_view
from services.api.http.admission import Activity, admission_of
from services.api.http.answers import devana_success, failure
from services.api.http.bodies import BodyLimits
from services.api.http.caller import IDEMPOTENCY_KEY, USER_ID, caller_of
from services.api.http.errors import ApiError, invalid_request, not_found
from services.api.http.forms import FIELD, form_of
from services.api.http.routing import Routes, route
from services.api.jobs.reading import Reading
from services.api.jobs.views import JobContents, job_error
from services.api.read_model.document_rows import DocumentRow
from services.api.read_model.job_rows import JobRow
from services.api.read_model.library import Library

Json = dict[str, object]


class DocumentRoutes(Routes, tag="documents"):
    """`/v1/documents`."""

    library: Library
    documents: DocumentCommands
    intake: DocumentIntake
    jobs: DocumentJobs
    reading: Reading
    limits: BodyLimits
    document_wait_s: float

    @route("POST", "/v1/documents", "/v1/documents/", operation=openapi.ADD_DOCUMENT)
    async def add_document(self, request: Request) -> Response:
        """Add a document and wait for its extraction. The body is never held whole in memory."""
        caller = caller_of(request)
        wait_s = AddDocumentQuery.of(request.query_params).wait
        key, user = IDEMPOTENCY_KEY.of(request), USER_ID.of(request)
        if wait_s != 0:
            admission_of(request).wait_as(Activity.LONG_POLLS)
        async with form_of(request, self.limits) as form:
            body = DocumentForm.read({**form.texts, FIELD: form.upload})
            folder_id = folder_id_of(body.folder_id) if body.folder_id else None
            if form.upload is None:
                raise invalid_request(f"the form has no file in the field {FIELD!r}")
            if folder_id is not None:
                await self.library.folder(folder_id, caller.owner)
            images = body.include_images == "true"
            added = await self.intake.add(form.upload, folder_id, caller, user, key, images)
        return await self._outcome(request, added, wait_s)

    @route("GET", "/v1/documents", "/v1/documents/", operation=openapi.LIST_DOCUMENTS)
    async def list_documents(self, request: Request) -> Response:
        """Return the owner's documents, newest first, without their texts."""
        page = DocumentPageQuery.of(request.query_params)
        rows = await self.library.documents(caller_of(request).owner, page.limit, page.offset)
        return devana_success([listed_view(row) for row in rows])

    @route("GET", "/v1/documents/{document_id}", operation=openapi.GET_DOCUMENT)
    async def get_document(self, request: Request, document_id: str) -> Response:
        """Return a document: its status, and its text after the extraction."""
        row = await self._own_document(request, document_id)
        return devana_success(await self._view(row, await self._newest_job(row)))

    @route("GET", "/v1/documents/{document_id}/status", operation=openapi.GET_STATUS)
    async def get_status(self, request: Request, document_id: str) -> Response:
        """Return the status in one word."""
        return devana_success(document_status((await self._own_document(request, document_id)).status))

    @route("DELETE", "/v1/documents/{document_id}", operation=openapi.DELETE_DOCUMENT)
    async def delete_document(self, request: Request, document_id: str) -> Response:
        """Remove a document with everything extracted from it. 202 if that was not read back in time. A repeat deletes
        what an interrupted removal left."""
        caller = caller_of(request)
        row = await self.library.own_document(document_id_of(document_id), caller.owner)
        if row is None:
            raise not_found("document")
        position = await self.documents.remove(document_id, caller)
        erasures = await self.jobs.erase(request, document_id)
        await self.documents.delete_content(document_id)
        if row.removed:
            raise not_found("document")
        passed = await self.library.catching_up.passed(position) and await self.reading.catching_up.passed(*erasures)
        return devana_success({"id": document_id, "message": "document deleted"}, 200 if passed else 202)

    @route("POST", "/v1/documents/{document_id}/reextract", operation=openapi.REEXTRACT)
    async def reextract(self, request: Request, document_id: str) -> Response:
        """Extract a document again, or repeat the newest extraction about this id (docs/contract/decisions.md#a22)."""
        caller, images = caller_of(request), ReextractQuery.of(request.query_params).include_images
        await self.library.up_to_now()
        row = await self.library.model.document(document_id) if is_document_id(document_id) else None
        if row is None or row.owner != caller.owner or row.removed or row.content is None:
            return await self.jobs.repeat(request, document_id, job_types().that_make(Makes.TEXT), "document")
        if row.status is not None and not row.status.terminal:
            raise still_running("the document is being read", row.job_id)
        target = ResolvedDocument(document_id=document_id, name=row.name or document_id, content=row.content)
        job_type, parameters = reading_of(row.content.media_type, document_id, images)
        return await self.jobs.create(request, job_type, {**parameters, "force_refresh": True}, document_id, target)

    async def _own_document(self, request: Request, document_id: str) -> DocumentRow:
        return await self.library.document(document_id_of(document_id), caller_of(request).owner)

    async def _newest_job(self, row: DocumentRow) -> JobRow | None:
        if row.job_id is None:
            return None
        try:
            return await self.reading.job(row.job_id, row.owner)
        except ApiError as error:
            if error.code is ErrorCode.NOT_FOUND:
                return None  # erased since
            raise

    async def _view(self, row: DocumentRow, job: JobRow | None) -> Json:
        contents = JobContents() if job is None else await self.reading.contents(job)
        # On a thread: counting the words of a long document would block other requests.
        return await asyncio.to_thread(document_view, row, job, contents)

    async def _outcome(self, request: Request, added: AddedDocument, wait_s: float | None) -> Response:
        """Answer 200 with the text, or 400 EXTRACTION_FAILED. If the extraction takes longer: 202 for a request with
        `wait`, 408 for one without."""
        owner = caller_of(request).owner
        receipt: Json = {"documentId": added.document_id, "status": "IN_PROGRESS", "jobId": added.job.subject}
        timeout_s = self.document_wait_s if wait_s is None else wait_s
        job = await self.reading.ended(added.job.subject, owner, timeout_s) if timeout_s else None
        if job is None:
            if wait_s is not None:
                return devana_success(receipt, 202, added.job.headers)
            message = f"the document was not read within {timeout_s:g} s: request it by its documentId"
            return failure(ApiError(408, ErrorCode.EXTRACTION_TIMEOUT, message, receipt), request.url.path)
        if job.status is Status.COMPLETED:
            row = await self.library.document(added.document_id, owner)
            return devana_success(await self._view(row, job), headers=added.job.headers)
        why = job_error(job, (await self.reading.contents(job)).error)
        assert why is not None, "a job that ended without a result failed or was cancelled"
        details = {**receipt, "status": "ERROR", "code": why["code"], **why["details"]}
        return failure(ApiError(400, ErrorCode.EXTRACTION_FAILED, why["message"], details), request.url.path)
