"""`/v1/documents`: take documents in, read them, have them read again, remove them (contract 15a and 15b)."""

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.job_types.declaration import Makes
from services.api.documents import openapi as openapi_documents
from services.api.documents.jobs import begin, begin_again, erase_jobs, running
from services.api.documents.requests import asked_folder, asked_page, asked_wait, document_id_of
from services.api.documents.upload import Taken
from services.api.documents.views import document_status, document_view, listed_view
from services.api.http.answers import devana_success, failure
from services.api.http.caller import caller_of, header_user, idempotency_key
from services.api.http.errors import ApiError, ReadModelUnavailableError, invalid_request, not_found
from services.api.http.forms import FIELD, form_of
from services.api.http.plain_route import PlainRoute
from services.api.jobs.views import Documents, job_error
from services.api.parts import parts_of
from services.api.read_model.document_rows import DocumentRow
from services.api.read_model.job_rows import JobRow

router = APIRouter(tags=["documents"], route_class=PlainRoute)

Json = dict[str, object]


@router.post("/v1/documents", **openapi_documents.ADD_DOCUMENT)
@router.post("/v1/documents/", include_in_schema=False)
async def add_document(request: Request) -> Response:
    """Takes a document in and waits until it was read. The body is never held whole."""
    parts, caller = parts_of(request), caller_of(request)
    wait_s, key, user = asked_wait(request.query_params), idempotency_key(request), header_user(request)
    async with form_of(request, parts.max_upload_bytes, parts.max_body_bytes) as form:
        folder_id = asked_folder(form.texts)
        if form.upload is None:
            raise invalid_request(f"the form has no file in the field {FIELD!r}")
        if folder_id is not None:
            await parts.library.folder(folder_id, caller.owner)
        taken = await parts.intake.take_in(form.upload, folder_id, caller, user, key)
    return await _told(request, taken, wait_s)


@router.get("/v1/documents", **openapi_documents.LIST_DOCUMENTS)
@router.get("/v1/documents/", include_in_schema=False)
async def list_documents(request: Request) -> Response:
    """The owner's documents, newest first, without their texts."""
    limit, offset = asked_page(request.query_params)
    rows = await parts_of(request).library.documents(caller_of(request).owner, limit, offset)
    return devana_success([listed_view(row) for row in rows])


@router.get("/v1/documents/{document_id}", **openapi_documents.GET_DOCUMENT)
async def get_document(request: Request, document_id: str) -> Response:
    """A document: how it stands, and once it was read its text."""
    row = await _own_document(request, document_id)
    return devana_success(await _shown(request, row, await _newest_job(request, row)))


@router.get("/v1/documents/{document_id}/status", **openapi_documents.GET_STATUS)
async def get_status(request: Request, document_id: str) -> Response:
    """One word."""
    return devana_success(document_status((await _own_document(request, document_id)).status))


@router.delete("/v1/documents/{document_id}", **openapi_documents.DELETE_DOCUMENT)
async def delete_document(request: Request, document_id: str) -> Response:
    """Removes a document with all that was made of it. 202 when that was not read back in time.

    Of one that is removed already, what an earlier try may have left is deleted, too.
    """
    parts, caller = parts_of(request), caller_of(request)
    row = await parts.library.own_document(document_id_of(document_id), caller.owner)
    if row is None:
        raise not_found("document")
    position = await parts.documents.remove(document_id, caller)
    erasures = await erase_jobs(request, document_id)
    await parts.documents.delete_content(document_id)
    if row.removed:
        raise not_found("document")
    passed = await parts.library.passed(position) and await parts.reading.passed(*erasures)
    return devana_success({"id": document_id, "message": "document deleted"}, 200 if passed else 202)


@router.post("/v1/documents/{document_id}/reextract", **openapi_documents.REEXTRACT)
async def reextract(request: Request, document_id: str) -> Response:
    """Has a document read again; or does the newest extraction again that is about this id (contract A22)."""
    parts, caller = parts_of(request), caller_of(request)
    await parts.library.up_to_now()
    row = await parts.library.model.document(document_id) if "\x00" not in document_id else None
    if row is None or row.owner != caller.owner or row.removed or row.content is None:
        return await begin_again(request, document_id, job_types().that_make(Makes.TEXT), "document")
    if row.status is not None and not row.status.terminal:
        raise running("the document is being read", row.job_id)
    resolved = ResolvedDocument(document_id=document_id, name=row.name or document_id, content=row.content)
    given = {"document_id": document_id, "force_refresh": True}
    return await begin(request, job_types().reader_of(row.content.media_type).name, given, document_id, resolved)


async def _own_document(request: Request, document_id: str) -> DocumentRow:
    return await parts_of(request).library.document(document_id_of(document_id), caller_of(request).owner)


async def _newest_job(request: Request, row: DocumentRow) -> JobRow | None:
    if row.job_id is None:
        return None
    try:
        return await parts_of(request).reading.job(row.job_id, row.owner)
    except ApiError as error:
        if error.code is ErrorCode.NOT_FOUND:
            return None  # erased since
        raise


async def _shown(request: Request, row: DocumentRow, job: JobRow | None) -> Json:
    found = Documents() if job is None else await parts_of(request).reading.documents(job)
    # On a thread: the words of a long document take a while to be counted.
    return await asyncio.to_thread(document_view, row, job, found)


async def _told(request: Request, taken: Taken, wait_s: float | None) -> Response:
    """What became of a document that was taken in.

    200 with its text; 400 EXTRACTION_FAILED; and where its reading takes longer 202 for those who said how long they
    would wait, 408 for those who did not.
    """
    parts = parts_of(request)
    receipt: Json = {"documentId": taken.document_id, "status": "IN_PROGRESS", "jobId": taken.job.subject}
    patience_s = parts.document_wait_s if wait_s is None else wait_s
    job = await _ended(request, taken.job.subject, patience_s) if patience_s else None
    if job is None:
        if wait_s is not None:
            return devana_success(receipt, 202, taken.job.headers)
        said = f"the document was not read within {patience_s:g} s: ask for it by its documentId"
        return failure(ApiError(408, ErrorCode.EXTRACTION_TIMEOUT, said, receipt), request.url.path)
    if job.status is Status.COMPLETED:
        row = await parts.library.document(taken.document_id, caller_of(request).owner)
        return devana_success(await _shown(request, row, job), headers=taken.job.headers)
    why = job_error(job, (await parts.reading.documents(job)).error)
    assert why is not None, "a job that ended without a result failed or was cancelled"
    details = {**receipt, "status": "ERROR", "code": why["code"], **why["details"]}
    return failure(ApiError(400, ErrorCode.EXTRACTION_FAILED, why["message"], details), request.url.path)


async def _ended(request: Request, job_id: str, wait_s: float) -> JobRow | None:
    """The job if it ends within the time; None where that cannot be told: it is accepted all the same."""
    reading = parts_of(request).reading
    try:
        row = await reading.after_end(await reading.job(job_id, caller_of(request).owner), wait_s)
    except ReadModelUnavailableError:
        return None
    return row if row.status.terminal else None
