"""The OpenAPI description of `/api/jobs/estimate` (docs/contract/additions.md#estimates)."""

from services.api.jobs.requests import JobBody
from services.api.openapi import examples
from services.api.openapi.examples import Json
from services.api.openapi.grammar import BAD_JOB, USER, data, json_body, operation

_ESTIMATE: Json = {
    "job_type": "extraction",
    "pages": 14,
    "pages_with_text": 12,
    "pages_without_text": 2,
    "pages_looked_at": 14,
    "seconds": {"p50": 3.2, "p90": 5.1},
    "basis": "measured",
    "measured_jobs": 42,
    "queue": {"jobs_before": 3, "wait_s": 1.7},
    "problem": None,
    "notes": [],
}
_UNOPENED: Json = {
    **_ESTIMATE,
    **dict.fromkeys(("pages", "pages_with_text", "pages_without_text", "pages_looked_at")),
    "notes": ["No worker had time to open the file, so its pages are not known: try again later."],
}
ESTIMATE = operation(
    "Estimate a job without creating it",
    {
        200: data(_ESTIMATE, "What the job would take"),
        202: data(_UNOPENED, "The same without the pages: no worker had time to open the file"),
    },
    (400, 507),
    json_body(JobBody, examples.JOB_REQUEST),
    (USER,),
    BAD_JOB,
)
