"""What the OpenAPI document says about each path: summaries, bodies with examples, answers, and the errors to expect.

Bodies are read by hand (`services.api.http.bodies`), so what FastAPI cannot see is written down here.
"""

from functools import cache

from pydantic.json_schema import models_json_schema

from piperoll.job_types import job_types
from services.api.direct.requests import (
    FLAG,
    MAX_WAIT_MS,
    MISTRAL_FIELDS,
    NUMBER,
    OBJECT,
    PDF_FIELDS,
    TEMPLATE_FIELDS,
    TEXT,
    Fields,
)
from services.api.openapi import examples
from services.api.openapi.examples import Json
from services.api.openapi.grammar import (
    BAD_DIRECT,
    BAD_JOB,
    ERRORS,
    NOTHING_TO_DOWNLOAD,
    content,
    data,
    header,
    json_body,
    operation,
    query,
    refusal,
)

TITLE = "Piperoll"
DESCRIPTION = "Document jobs as an unbroken record. Every path but health needs the header Authorization: Bearer <key>."

_KEY = header("Idempotency-Key", "A repeat with the same key and body gets the first answer again", maxLength=255)
_USER = header("X-User-ID", "A label for what is created, and a filter of lists", maxLength=255)
_LIMIT = query("limit", "How many at most", type="integer", minimum=0, maximum=1000, default=100)
_SKIP = query("skip", "How many to leave out, from the newest", type="integer", minimum=0, default=0)
_STATUS = query("status", "Only of this status", enum=["pending", "processing", "completed", "failed"])
_USER_ID = query("user_id", "Only of this user; goes before X-User-ID", type="string")

_JOB: Json = {
    "type": "object",
    "required": ["job_type", "parameters"],
    "additionalProperties": False,
    "properties": {
        "job_type": {},  # these two by `add_job_types`
        "parameters": {},
        "user_id": {"type": "string", "maxLength": 255},
    },
}
_BATCH: Json = {
    "type": "object",
    "required": ["jobs"],
    "additionalProperties": False,
    "properties": {
        "batch_name": {"type": "string", "maxLength": 255},
        "jobs": {"type": "array", "minItems": 1, "items": _JOB},
        "user_id": {"type": "string", "maxLength": 255},
        "webhook": {"type": "object", "description": "for every job that has none of its own"},
    },
}
_FILE: Json = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            },
            "example": {"file": "(the file's bytes)"},
        }
    },
}
_REASON = {"type": "object", "properties": {"reason": {"type": "string", "maxLength": 64}}}
_BYTES: Json = {"type": "string", "format": "binary"}
_LATER = data(examples.WHOLE_JOB, "Accepted; whether it took effect is not known yet")
_NOT_YET = content("application/json", examples.NOT_YET, "The job has not ended yet")

CREATE_JOB = operation(
    "Create a job",
    {200: data({"job_id": examples.JOB_ID, "job": examples.CREATED_JOB}, "Created")},
    (400, 401, 413, 422, 503),
    json_body(_JOB, examples.JOB_REQUEST),
    (_KEY, _USER),
    BAD_JOB,
)
LIST_JOBS = operation(
    "List jobs, newest first",
    {200: data({"total": 1, "jobs": [examples.JOB]}, "A page, without results and logs")},
    (400, 401, 503),
    parameters=(
        _STATUS,
        query("batch_id", "Only of this batch", type="string"),
        _USER_ID,
        query("job_type", "Only of this type", type="string"),
        query("target_id", "Only with this target_id", type="string"),
        _LIMIT,
        _SKIP,
        _USER,
    ),
)
GET_JOB = operation(
    "Get a job",
    {200: data(examples.WHOLE_JOB, "The job")},
    (400, 401, 404, 503),
    parameters=(query("wait", "Seconds to wait for a change of status", type="number", minimum=0, maximum=60),),
)
DELETE_JOB = operation(
    "Erase a job and all it made",
    {200: data({"job_id": examples.JOB_ID, "message": "job deleted"}, "Erased"), 202: _LATER},
    (401, 404, 503),
)
CANCEL_JOB = operation(
    "Cancel a job",
    {200: data(examples.CANCELLED_JOB, "Cancelled"), 202: _LATER},
    (400, 401, 404, 409, 503),
    json_body(_REASON, {"reason": "not needed"}, required=False),
)
RESTART_JOB = operation(
    "Do a job again, as a new one",
    {200: data({"job_id": examples.JOB_ID, "job": {**examples.CREATED_JOB, "retry_of": examples.JOB_ID}}, "Created")},
    (400, 401, 404, 409, 422, 503),
    parameters=(_KEY,),
    bad=BAD_JOB,
)
GET_EVENTS = operation(
    "List the facts of a job",
    {200: data(examples.EVENTS, "The facts, in the log's order")},
    (400, 401, 404, 503),
    parameters=(query("after", "The sequence number to begin after", type="integer", minimum=0), _LIMIT),
)
GET_DELIVERIES = operation(
    "List the webhook attempts of a job", {200: data(examples.DELIVERIES, "The attempts")}, (401, 404, 503)
)
STREAM_JOB = operation(
    "Follow a job",
    {
        200: content("text/event-stream", examples.STREAM, "pending, progress, completed, error, timeout", _BYTES),
        204: {"description": "The client has seen the job's end (Last-Event-ID)"},
    },
    (401, 404, 503),
    parameters=(header("Last-Event-ID", "The id of the last event seen: its state is not said again"),),
)
GET_FILE = operation(
    "Download a file that a job made",
    {
        200: content("application/octet-stream", None, "The file, with its own Content-Type", _BYTES),
        202: _NOT_YET,
        206: content("application/octet-stream", None, "The range of it that was asked for", _BYTES),
    },
    (401, 404, 416, 503),
    parameters=(header("Range", "One range of bytes, such as bytes=0-1023"), header("If-Range", "An ETag")),
)
DOWNLOAD_ARCHIVE = operation(
    "Download all that a job made",
    {200: content("application/zip", None, "A ZIP", _BYTES), 202: _NOT_YET},
    (400, 401, 404, 503),
    bad=NOTHING_TO_DOWNLOAD,
)
MISTRAL_RAW = operation(
    "Download the OCR provider's answer",
    {200: content("application/json", examples.OCR_RAW, "The answer as an attachment"), 202: _NOT_YET},
    (400, 401, 404, 503),
    parameters=(query("include_images", "With every image in base64", type="boolean", default=False),),
    bad=NOTHING_TO_DOWNLOAD,
)
MISTRAL_IMAGES = operation(
    "Download the images that OCR found",
    {200: content("application/zip", None, "A ZIP", _BYTES), 202: _NOT_YET},
    (400, 401, 404, 503),
    bad=NOTHING_TO_DOWNLOAD,
)
PAGES_ARCHIVE = operation(
    "Download the pages as images",
    {200: content("application/zip", None, "A ZIP", _BYTES), 202: _NOT_YET},
    (400, 401, 404, 503),
    bad=NOTHING_TO_DOWNLOAD,
)
CREATE_BATCH = operation(
    "Create a batch of jobs, all or none",
    {200: data({"batch_id": examples.BATCH_ID, "batch": examples.NEW_BATCH, "job_ids": [examples.JOB_ID]}, "Created")},
    (400, 401, 413, 422, 503),
    json_body(_BATCH, examples.BATCH_REQUEST),
    (_KEY, _USER),
    BAD_JOB,
)
LIST_BATCHES = operation(
    "List batches, newest first",
    {200: data({"total": 1, "batches": [examples.BATCH]}, "A page, without the jobs")},
    (400, 401, 503),
    parameters=(
        _STATUS,
        query("archived", "true lists nothing: batches are never archived", type="string"),
        _USER_ID,
        _LIMIT,
        _SKIP,
        _USER,
    ),
)
GET_BATCH = operation("Get a batch", {200: data(examples.WHOLE_BATCH, "The batch")}, (401, 404, 503))
DELETE_BATCH = operation(
    "Erase a batch and its jobs",
    {
        200: data({"batch_id": examples.BATCH_ID, "message": "batch deleted", "jobs_deleted": 1}, "Erased"),
        202: data({"batch_id": examples.BATCH_ID, "message": "batch deleted", "jobs_deleted": 1}, "Not read back yet"),
    },
    (401, 404, 503),
)
UPLOAD_FILE = operation("Upload a file", {200: data(examples.UPLOAD, "Kept")}, (400, 401, 413, 503), _FILE)


def add_job_types(document: Json) -> None:
    """Adds what this process knows of job types: their names, and their parameters as schemas and where they stand."""
    schemas, job_type, parameters = _job_types()
    document["components"]["schemas"] = schemas
    one, many = (
        document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
        for path in ("/api/jobs/", "/api/jobs/batch")
    )
    for properties in (one, many["jobs"]["items"]["properties"]):
        properties |= {"job_type": job_type, "parameters": parameters}


@cache
def _job_types() -> tuple[Json, Json, Json]:
    """The schemas of all parameters, and those of `job_type` and `parameters`."""
    references, definitions = models_json_schema(
        [(one.parameters, "validation") for one in job_types()], ref_template="#/components/schemas/{model}"
    )
    return definitions["$defs"], {"enum": job_types().requestable}, {"oneOf": list(references.values())}


def _direct(summary: str, fields: Fields, example: Json, file: bool = False) -> Json:
    """An endpoint that wraps one job: a form (or JSON, where there is no file) in; a result or a receipt out."""
    kinds = {TEXT: {"type": "string"}, NUMBER: {"type": "integer"}, FLAG: {"type": "boolean"}, OBJECT: {}}
    properties: Json = {name: kinds[kind] for name, (_, kind) in fields.items()}
    properties |= {name: {"type": "string"} for name in ("callback_url", "callback_token", "jobId")}
    properties["wait_ms"] = {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_MS}
    form: Json = {"schema": {"type": "object", "properties": properties}, "example": example}
    if file:
        properties["file"] = _BYTES
        body = {"required": True, "content": {"multipart/form-data": form}}
    else:
        types = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")
        body = {"required": True, "content": dict.fromkeys(types, form)}
    answers = {
        200: content("application/json", examples.PROCESSED, "The result, where it was waited for"),
        202: content("application/json", examples.ACCEPTED, "The job is under way"),
    }
    return operation(summary, answers, (400, 401, 413, 422, 503), body, (_KEY, _USER), BAD_DIRECT)


_CALLBACK = {"callback_url": "https://example.com/webhook", "callback_token": "secret", "jobId": "client_job_id"}
PROCESS_PDF = _direct(
    "Extract from an uploaded PDF",
    PDF_FIELDS,
    {"file": "(the file's bytes)", "extraction_method": "native", **_CALLBACK},
    file=True,
)
PROCESS_URL = _direct(
    "Extract from a PDF at an address", PDF_FIELDS, {"url": "https://example.com/a.pdf", "wait_ms": 30_000}
)
PROCESS_MISTRAL = _direct(
    "Have an uploaded PDF read by Mistral's OCR",
    MISTRAL_FIELDS,
    {"file": "(the file's bytes)", "includePreviewPages": True, **_CALLBACK},
    file=True,
)
TRANSFORM = _direct(
    "Fill a template from a text or a page",
    TEMPLATE_FIELDS,
    {"text": "We met on Monday…", "template": "MeetingMinutes"},
)
LIVE: Json = {
    "summary": "Whether the process lives",
    "responses": {200: data({"status": "ok"}, "It does")},
}
READY: Json = {
    "summary": "Whether requests can be served",
    "responses": {200: data({"status": "ok"}, "They can"), 503: refusal(*ERRORS[503])},
}
