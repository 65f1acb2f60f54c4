"""The OpenAPI description of `/v1/jobs` (contract 15a)."""

from typing import Final

from services.api.devana_jobs.requests import DevanaJobsQuery
from services.api.openapi.examples import Json
from services.api.openapi.grammar import devana_data, devana_operation, query_of

USER: Final = "user-456"
EXTRACTION: Json = {
    "id": "job-6f1c2b0e-8c1f-4a43-9b54-0f6d1c9f2a77",
    "userId": USER,
    "targetId": "doc-2b7d6a0c-55e1-4f7b-9a41-6a3c0c1d9e20",
    "type": "EXTRACTION",
    "status": "IN_PROGRESS",
    "progress": 65,
    "metadata": {
        "fileName": "report.pdf",
        "mimeType": "application/pdf",
        "extractionMethod": "native",
        "pageCount": 45,
    },
    "startedAt": "2026-01-01T10:30:00.000Z",
    "createdAt": "2026-01-01T10:29:00.000Z",
    "updatedAt": "2026-01-01T10:35:00.000Z",
}
EMBEDDING: Json = {
    "id": "job-0d3c8e5e-7d0b-4a0e-8f69-2f7a4b0f6c51",
    "userId": USER,
    "targetId": "folder-91c4f2a8-1f0e-4c37-8e42-5f6d7a8b9c10",
    "type": "EMBEDDING",
    "status": "DONE",
    "progress": 100,
    "metadata": {
        "folderName": "Documentation",
        "chunkSize": 500,
        "model": "all-MiniLM-L6-v2",
        "filesProcessed": 25,
        "totalChunks": 1250,
    },
    "startedAt": "2026-01-01T09:00:00.000Z",
    "completedAt": "2026-01-01T09:15:00.000Z",
    "createdAt": "2026-01-01T08:59:00.000Z",
    "updatedAt": "2026-01-01T09:15:00.000Z",
}

LIST_JOBS = devana_operation(
    "List the jobs of the last 24 hours, newest first",
    {200: devana_data([EXTRACTION, EMBEDDING], "A page; cancelled jobs are never in it")},
    (400,),
    parameters=query_of(DevanaJobsQuery),
)
