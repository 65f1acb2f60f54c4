"""The OpenAPI descriptions of `/api/jobs` (docs/contract/secretary.md#routes)."""

from functools import cache

from pydantic.json_schema import models_json_schema

from piperoll.job_types import job_types
from services.api.jobs.query_strings import CountsQuery, EventsQuery, JobListQuery, JobQuery
from services.api.jobs.requests import CancelBody, JobBody
from services.api.openapi import examples
from services.api.openapi.examples import Json
from services.api.openapi.grammar import (
    BAD_JOB,
    BYTES,
    KEY,
    USER,
    content,
    data,
    header,
    json_body,
    operation,
    query_of,
)

_LATER = data(examples.WHOLE_JOB, "Accepted; the outcome is unknown yet")
CREATE_JOB = operation(
    "Create a job",
    {200: data({"job_id": examples.JOB_ID, "job": examples.CREATED_JOB}, "Created")},
    (400, 422, 507),
    json_body(JobBody, examples.JOB_REQUEST),
    (KEY, USER),
    BAD_JOB,
)
LIST_JOBS = operation(
    "List jobs, newest first",
    {200: data({"total": 1, "jobs": [examples.JOB]}, "A page, without results and logs")},
    (400,),
    parameters=(*query_of(JobListQuery), USER),
)
COUNT_JOBS = operation(
    "Count jobs by status",
    {200: data({"total": 3, "pending": 1, "processing": 0, "completed": 2, "failed": 0}, "The numbers")},
    (400,),
    parameters=(*query_of(CountsQuery), USER),
)
GET_JOB = operation("Get a job", {200: data(examples.WHOLE_JOB, "The job")}, (400, 404), parameters=query_of(JobQuery))
DELETE_JOB = operation(
    "Erase a job and its outputs",
    {200: data({"job_id": examples.JOB_ID, "message": "job deleted"}, "Erased"), 202: _LATER},
    (404,),
)
CANCEL_JOB = operation(
    "Cancel a job",
    {200: data(examples.CANCELLED_JOB, "Cancelled"), 202: _LATER},
    (400, 404, 409),
    json_body(CancelBody, {"reason": "not needed"}, required=False),
)
RESTART_JOB = operation(
    "Run a job again, as a new one",
    {200: data({"job_id": examples.JOB_ID, "job": {**examples.CREATED_JOB, "retry_of": examples.JOB_ID}}, "Created")},
    (400, 404, 409, 422, 507),
    parameters=(KEY,),
    bad=BAD_JOB,
)
GET_EVENTS = operation(
    "List the events of a job's log",
    {200: data(examples.EVENTS, "The events, in the log's order")},
    (400, 404),
    parameters=query_of(EventsQuery),
)
GET_DELIVERIES = operation(
    "List the webhook attempts of a job", {200: data(examples.DELIVERIES, "The attempts")}, (404,)
)
STREAM_JOB = operation(
    "Follow a job",
    {
        200: content("text/event-stream", examples.STREAM, "pending, progress, completed, error, timeout", BYTES),
        204: {"description": "The client has seen the end of the job (Last-Event-ID)"},
    },
    (404,),
    parameters=(header("Last-Event-ID", "The id of the last event seen: its state is not sent again"),),
)


def add_job_types(document: Json) -> None:
    """Add the job types of the installation: their names, and the schemas of their parameters."""
    references, definitions = _parameters()
    document["components"]["schemas"] = definitions
    one, estimated, many = (
        document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
        for path in ("/api/jobs/", "/api/jobs/estimate", "/api/jobs/batch")
    )
    for properties in (one, estimated, many["jobs"]["items"]["properties"]):
        properties |= {"job_type": {"enum": job_types().requestable}, "parameters": {"oneOf": references}}


@cache
def _parameters() -> tuple[list[Json], Json]:
    """Return references to the parameter schemas of all job types, and these schemas."""
    references, definitions = models_json_schema(
        [(one.parameters, "validation") for one in job_types() if not one.internal],
        ref_template="#/components/schemas/{model}",
    )
    return list(references.values()), definitions["$defs"]
