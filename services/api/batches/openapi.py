"""The OpenAPI descriptions of `/api/jobs/batch` and `/api/jobs/batches` (docs/contract/secretary.md#routes)."""

from typing import Final

from services.api.batches.requests import BatchBody, BatchListQuery
from services.api.openapi import examples
from services.api.openapi.examples import Json
from services.api.openapi.grammar import BAD_JOB, KEY, USER, data, json_body, operation, query_of

_DELETED = {"batch_id": examples.BATCH_ID, "message": "batch deleted", "jobs_deleted": 1}

PATH: Final = "/api/jobs/batch"
CREATE_BATCH = operation(
    "Create a batch of jobs, all or none",
    {200: data({"batch_id": examples.BATCH_ID, "batch": examples.NEW_BATCH, "job_ids": [examples.JOB_ID]}, "Created")},
    (400, 422, 507),
    json_body(BatchBody, examples.BATCH_REQUEST),
    (KEY, USER),
    BAD_JOB,
)
LIST_BATCHES = operation(
    "List batches, newest first",
    {200: data({"total": 1, "batches": [examples.BATCH]}, "A page, without the jobs")},
    (400,),
    parameters=(*query_of(BatchListQuery), USER),
)
GET_BATCH = operation("Get a batch", {200: data(examples.WHOLE_BATCH, "The batch")}, (404,))
DELETE_BATCH = operation(
    "Erase a batch and its jobs", {200: data(_DELETED, "Erased"), 202: data(_DELETED, "Not read back yet")}, (404,)
)


def limit_jobs(document: Json, most: int) -> None:
    """Add the largest number of jobs in a batch, which is a setting."""
    body = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["jobs"]["maxItems"] = most
