"""The OpenAPI descriptions of `/v1/folders` (docs/contract/devana.md#folders, #search)."""

from services.api.documents.openapi import DOCUMENT_ID, FOLDER_ID, LISTED, NEW_JOB
from services.api.documents.requests import DocumentPageQuery
from services.api.folders.requests import FilesBody, FolderBody, FolderChange, SearchQuery
from services.api.openapi.examples import JOB_ID, Json
from services.api.openapi.grammar import devana_data, devana_operation, json_body, query_of

_FOLDER: Json = {
    "id": FOLDER_ID,
    "name": "Documentation",
    "description": "What we know",
    "chunkSize": 500,
    "words": 1250,
    "createdAt": "2026-01-01T08:00:00.000Z",
    "updatedAt": "2026-01-01T09:00:00.000Z",
}
_DELETED: Json = {"id": FOLDER_ID, "message": "folder deleted"}
_REMOVED: Json = {"id": DOCUMENT_ID, "message": "document removed from folder"}
_LATER = "Accepted; not read back yet"
_INDEXING: Json = {
    **NEW_JOB,
    "targetId": FOLDER_ID,
    "type": "EMBEDDING",
    "metadata": {"folderName": "Documentation", "chunkSize": 500},
}

LIST_FOLDERS = devana_operation(
    "List folders, newest first",
    {200: devana_data([{"status": "fulfilled", "value": _FOLDER}], "A page")},
    (400,),
    parameters=query_of(DocumentPageQuery),
)
CREATE_FOLDER = devana_operation(
    "Create a folder",
    {200: devana_data({**_FOLDER, "words": 0}, "Created")},
    (400,),
    json_body(FolderBody, {"name": "Documentation", "description": "What we know", "chunkSize": 500}),
)
GET_FOLDER = devana_operation("Get a folder", {200: devana_data(_FOLDER, "The folder")}, (404,))
CHANGE_FOLDER = devana_operation(
    "Change a folder; another chunk size indexes it again",
    {200: devana_data(_FOLDER, "Changed"), 202: devana_data(_FOLDER, _LATER)},
    (400, 401, 404, 413, 429, 503),
    json_body(FolderChange, {"chunkSize": 800}),
)
DELETE_FOLDER = devana_operation(
    "Remove a folder and its index; its documents stay",
    {200: devana_data(_DELETED, "Removed"), 202: devana_data(_DELETED, _LATER)},
    (404,),
)
LIST_FILES = devana_operation(
    "List the documents of a folder",
    {200: devana_data([LISTED])},
    (400, 404),
    parameters=query_of(DocumentPageQuery),
)
ADD_FILES = devana_operation(
    "Put documents into a folder",
    {200: devana_data([DOCUMENT_ID], "The ids"), 202: devana_data([DOCUMENT_ID], _LATER)},
    (400, 404),
    json_body(FilesBody, {"filesIds": [DOCUMENT_ID]}),
)
REMOVE_FILE = devana_operation(
    "Take a document out of a folder",
    {200: devana_data(_REMOVED, "Removed from the folder"), 202: devana_data(_REMOVED, _LATER)},
    (404,),
)
REINDEX = devana_operation(
    "Index a folder again",
    {202: devana_data(_INDEXING, "The new job. An id that is not a folder's is looked up among the jobs' targetIds")},
    (400, 404, 409, 507),
)
SEARCH = devana_operation(
    "Search in a folder",
    {
        200: devana_data(
            [
                {
                    "documentId": DOCUMENT_ID,
                    "chunk": 3,
                    "text": "The heat pump is serviced in May.",
                    "score": 0.71,
                    "name": "report.pdf",
                    "jobId": JOB_ID,
                }
            ],
            "The nearest chunks, best first; `jobId` read the document. 409 before the folder is indexed",
        )
    },
    (400, 404, 409),
    parameters=query_of(SearchQuery),
)
