"""The OpenAPI descriptions of redelivery (docs/contract/additions.md#redelivery)."""

from services.api.openapi.examples import JOB_ID, Json
from services.api.openapi.grammar import data, json_body, operation
from services.api.redelivery.requests import RedeliverBody, RedeliverManyBody

_DELIVERY_ID = "msg_0d6c7e0f5a1b5c2d9e3f4a5b6c7d8e9f"
_REQUESTED: Json = {"job_id": JOB_ID, "delivery_id": _DELIVERY_ID, "request": "5f0c9a526d1e4b8a9c578e2b1a7d4f60"}
_COUNTS: Json = {"count": 12, "left": 0, "dry_run": False}
_SINCE: Json = {"origin": "https://example.com", "since": "2026-01-01T10:00:00Z"}

ONE = operation(
    "Send a job's final webhook again",
    {
        200: data(_REQUESTED, "Requested; the outcome is listed in the job's deliveries"),
        202: data(_REQUESTED, "Requested; the job's deliveries may not show it yet"),
    },
    (400, 404, 409),
    json_body(RedeliverBody, {"delivery_id": _DELIVERY_ID}, required=False),
)
MANY = operation(
    "Send webhooks again that were held or given up at a receiver",
    {
        200: data(_COUNTS, "How many were requested now, and how many are left"),
        202: data(_COUNTS, "The same; the jobs' deliveries may not show it yet"),
    },
    (400,),
    json_body(RedeliverManyBody, {**_SINCE, "dry_run": False}),
)
