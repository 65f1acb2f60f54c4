"""`/v1/documents`: add, read, extract again and remove documents (contract 15a and 15b)."""

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
from services.api.documents.jobs import DocumentJobs, running
from services.api.documents.requests import (
    AddDocumentQuery,
    DocumentForm,
    DocumentPageQuery,
    document_id_of,
    folder_id_of,
)
from services.api.documents.upload import DocumentIntake, Taken
from services.api.documents.views import document_status, document_view, listed_view
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
        """Adds a document and waits for its extraction. The body is never held whole."""
        caller = caller_of(request)
        wait_s, key, user = (
            AddDocumentQuery.of(request.query_params).wait,
            IDEMPOTENCY_KEY.of(request),
            USER_ID.of(request),
        )
        async with form_of(request, self.limits) as form:
            named = DocumentForm.read({**form.texts, FIELD: form.upload}).folder_id
            folder_id = folder_id_of(named) if named else None
            if form.upload is None:
                raise invalid_request(f"the form has no file in the field {FIELD!r}")
            if folder_id is not None:
                await self.library.folder(folder_id, caller.owner)
            taken = await self.intake.take_in(form.upload, folder_id, caller, user, key)
        return await self._told(request, taken, wait_s)

    @route("GET", "/v1/documents", "/v1/documents/", operation=openapi.LIST_DOCUMENTS)
    async def list_documents(self, request: Request) -> Response:
        """The owner's documents, newest first, without their texts."""
        page = DocumentPageQuery.of(request.query_params)
        rows = await self.library.documents(caller_of(request).owner, page.limit, page.offset)
        return devana_success([listed_view(row) for row in rows])

    @route("GET", "/v1/documents/{document_id}", operation=openapi.GET_DOCUMENT)
    async def get_document(self, request: Request, document_id: str) -> Response:
        """A document: its status, and its text after the extraction."""
        row = await self._own_document(request, document_id)
        return devana_success(await self._shown(request, row, await self._newest_job(request, row)))

    @route("GET", "/v1/documents/{document_id}/status", operation=openapi.GET_STATUS)
    async def get_status(self, request: Request, document_id: str) -> Response:
        """The status in one word."""
        return devana_success(document_status((await self._own_document(request, document_id)).status))

    @route("DELETE", "/v1/documents/{document_id}", operation=openapi.DELETE_DOCUMENT)
    async def delete_document(self, request: Request, document_id: str) -> Response:
        """Removes a document with everything extracted from it. 202 when that was not read back in time.

        For a removed document, the leftovers of an earlier try are deleted too.
        """
        caller = caller_of(request)
        row = await self.library.own_document(document_id_of(document_id), caller.owner)
        if row is None:
            raise not_found("document")
        position = await self.documents.remove(document_id, caller)
        erasures = await self.jobs.erase(request, document_id)
        await self.documents.delete_content(document_id)
        if row.removed:
            raise not_found("document")
        passed = await self.library.passed(position) and await self.reading.passed(*erasures)
        return devana_success({"id": document_id, "message": "document deleted"}, 200 if passed else 202)

    @route("POST", "/v1/documents/{document_id}/reextract", operation=openapi.REEXTRACT)
    async def reextract(self, request: Request, document_id: str) -> Response:
        """Extracts a document again; or repeats the newest extraction about this id (contract A22)."""
        caller = caller_of(request)
        await self.library.up_to_now()
        row = await self.library.model.document(document_id) if "\x00" not in document_id else None
        if row is None or row.owner != caller.owner or row.removed or row.content is None:
            return await self.jobs.begin_again(request, document_id, job_types().that_make(Makes.TEXT), "document")
        if row.status is not None and not row.status.terminal:
            raise running("the document is being read", row.job_id)
        resolved = ResolvedDocument(document_id=document_id, name=row.name or document_id, content=row.content)
        given = {"document_id": document_id, "force_refresh": True}
        reader = job_types().reader_of(row.content.media_type)
        return await self.jobs.begin(request, reader.name, given, document_id, resolved)

    async def _own_document(self, request: Request, document_id: str) -> DocumentRow:
        return await self.library.document(document_id_of(document_id), caller_of(request).owner)

    async def _newest_job(self, request: Request, row: DocumentRow) -> JobRow | None:
        if row.job_id is None:
            return None
        try:
            return await self.reading.job(row.job_id, row.owner)
        except ApiError as error:
            if error.code is ErrorCode.NOT_FOUND:
                return None  # erased since
            raise

    async def _shown(self, request: Request, row: DocumentRow, job: JobRow | None) -> Json:
        found = JobContents() if job is None else await self.reading.documents(job)
        # On a thread: the words of a long document take a while to be counted.
        return await asyncio.to_thread(document_view, row, job, found)

    async def _told(self, request: Request, taken: Taken, wait_s: float | None) -> Response:
        """The outcome of a document that was added.

        200 with its text; 400 EXTRACTION_FAILED; and where its reading takes longer 202 for those who gave a time to
        wait, 408 for those who did not.
        """
        receipt: Json = {"documentId": taken.document_id, "status": "IN_PROGRESS", "jobId": taken.job.subject}
        patience_s = self.document_wait_s if wait_s is None else wait_s
        job = None
        if patience_s:
            job = await self.reading.ended(taken.job.subject, caller_of(request).owner, patience_s)
        if job is None:
            if wait_s is not None:
                return devana_success(receipt, 202, taken.job.headers)
            message = f"the document was not read within {patience_s:g} s: ask for it by its documentId"
            return failure(ApiError(408, ErrorCode.EXTRACTION_TIMEOUT, message, receipt), request.url.path)
        if job.status is Status.COMPLETED:
            row = await self.library.document(taken.document_id, caller_of(request).owner)
            return devana_success(await self._shown(request, row, job), headers=taken.job.headers)
        why = job_error(job, (await self.reading.documents(job)).error)
        assert why is not None, "a job that ended without a result failed or was cancelled"
        details = {**receipt, "status": "ERROR", "code": why["code"], **why["details"]}
        return failure(ApiError(400, ErrorCode.EXTRACTION_FAILED, why["message"], details), request.url.path)
