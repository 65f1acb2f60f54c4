"""The OpenAPI descriptions of `/v1/documents` (docs/contract/devana.md#documents)."""

from typing import Final

from schemas.devana import KILLED, STATUS_NAMES
from services.api.devana_jobs.openapi import EXTRACTION
from services.api.documents.requests import AddDocumentQuery, DocumentForm, DocumentPageQuery, ReextractQuery
from services.api.http.caller import IDEMPOTENCY_KEY
from services.api.openapi.examples import JOB_ID, Json
from services.api.openapi.grammar import (
    LABEL,
    content,
    devana_data,
    devana_operation,
    form_body,
    query_of,
    schema_of,
    text_header,
)

DOCUMENT_ID: Final = "doc-2b7d6a0c-55e1-4f7b-9a41-6a3c0c1d9e20"
FOLDER_ID: Final = "folder-91c4f2a8-1f0e-4c37-8e42-5f6d7a8b9c10"
NEW_JOB: Json = {
    **{name: EXTRACTION[name] for name in ("id", "userId", "targetId", "type", "createdAt")},
    "status": "PENDING",
    "metadata": {"fileName": "report.pdf", "fileSize": 20481, "mimeType": "application/pdf"},
    "updatedAt": EXTRACTION["createdAt"],
}
DOCUMENT: Json = {
    "documentId": DOCUMENT_ID,
    "status": "DONE",
    "title": "Report",
    "content": "The first page. The second page.",
    "pages": [{"pageNumber": 1, "text": "The first page."}, {"pageNumber": 2, "text": "The second page."}],
    "metadata": {
        "extractionMethod": "native",
        "pageCount": 2,
        "fileName": "report.pdf",
        "mimetype": "application/pdf",
        "size": 20481,
    },
    "totalWords": 6,
    "jobId": JOB_ID,
    "createdAt": "2026-01-01T10:29:00.000Z",
    "updatedAt": "2026-01-01T10:29:00.000Z",
}
_RECEIPT: Json = {"documentId": DOCUMENT_ID, "status": "IN_PROGRESS", "jobId": JOB_ID}
_FORM = form_body(schema_of(DocumentForm), {"file": "(the file's bytes)", "folderId": FOLDER_ID})
_BAD = ("EXTRACTION_FAILED", "The document could not be read, or the form: EXTRACTION_FAILED, INVALID_REQUEST")
_DELETED: Json = {"id": DOCUMENT_ID, "message": "document deleted"}
LISTED: Json = {
    "id": DOCUMENT_ID,
    "name": "report.pdf",
    "size": 20481,
    "mimetype": "application/pdf",
    "status": "DONE",
    "createdAt": "2026-01-01T10:29:00.000Z",
}

ADD_DOCUMENT = devana_operation(
    "Add a document and wait for its extraction",
    {200: devana_data(DOCUMENT, "Its text"), 202: devana_data(_RECEIPT, "Added; its extraction is still running")},
    (400, 404, 408, 422, 507),
    _FORM,
    (
        *query_of(AddDocumentQuery),
        text_header(IDEMPOTENCY_KEY, "A repeat with the same key and form is the same document"),
        LABEL,
    ),
    bad=_BAD,
)
LIST_DOCUMENTS = devana_operation(
    "List documents, newest first",
    {200: devana_data([LISTED], "A page, without their texts")},
    (400,),
    parameters=query_of(DocumentPageQuery),
)
GET_DOCUMENT = devana_operation(
    "Get a document and its text",
    {200: devana_data(DOCUMENT, "The document; without its text until the extraction has ended")},
    (404,),
)
GET_STATUS = devana_operation(
    "Get the status of a document",
    {
        200: content(
            "application/json",
            {"success": True, "data": "DONE"},
            "PENDING, IN_PROGRESS, DONE or ERROR",
            {"type": "object", "properties": {"data": {"enum": [name for name in STATUS_NAMES if name != KILLED]}}},
        )
    },
    (404,),
)
DELETE_DOCUMENT = devana_operation(
    "Remove a document and everything extracted from it",
    {200: devana_data(_DELETED, "Removed"), 202: devana_data(_DELETED, "Accepted; not read back yet")},
    (404,),
)
REEXTRACT = devana_operation(
    "Extract a document again",
    {202: devana_data(NEW_JOB, "The new job. An id that is not a document's is looked up among the jobs' targetIds")},
    (400, 404, 409, 507),
    parameters=query_of(ReextractQuery),
)
