"""The OpenAPI description of `/api/audit` (docs/contract/additions.md#audit)."""

from typing import Final

from services.api.audit.reading import AuditQuery
from services.api.openapi.examples import JOB_ID, Json
from services.api.openapi.grammar import data, operation, query_of

_READ: Final[Json] = {
    "id": "5f0c9a52-6d1e-5b8a-9c57-8e2b1a7d4f60",
    "time": "2026-01-01T00:05:00Z",
    "type": "ContentAccessed",
    "owner": "acme",
    "key_id": "4f1c09a2b7de",
    "action": "read",
    "since": "2026-01-01T00:00:00Z",
    "items": [{"route": "GET /api/jobs/{job_id}", "id": JOB_ID, "times": 3}],
    "unlisted": 0,
}

LIST = operation(
    "List who changed keys, and who read or erased content",
    {200: data({"total": 1, "facts": [_READ]}, "The newest facts of the time, and how many it has")},
    (400, 403),
    parameters=query_of(AuditQuery),
)
