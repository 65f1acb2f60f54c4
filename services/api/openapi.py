"""What the OpenAPI document says about each path: summaries, bodies with examples, and the errors to expect.

Bodies are read by hand (`services.api.bodies`), so what FastAPI cannot see is written down here.
"""

from typing import Any

from schemas.parameters import PARAMETERS

Operation = dict[str, Any]

TITLE = "Piperoll"
DESCRIPTION = "Document jobs as an unbroken record. Every path but health needs `Authorization: Bearer <key>`."

SENTENCES = {
    202: "Accepted; whether it took effect is not known yet",
    400: "Malformed request or wrong parameters: INVALID_REQUEST, UNKNOWN_JOB_TYPE, INVALID_PARAMETERS, "
    "BLOCKED_ADDRESS",
    401: "No key, or none that is good: UNAUTHORIZED",
    404: "No such job or batch of the caller's: NOT_FOUND",
    409: "The job has ended already: CONFLICT",
    413: "The body is larger than allowed: BODY_TOO_LARGE",
    422: "The Idempotency-Key was used for another body: IDEMPOTENCY_CONFLICT",
    503: "A part is away, see Retry-After: OUTCOME_UNKNOWN, READ_MODEL_UNAVAILABLE, STORAGE_ERROR",
}

_ERROR = {
    "type": "object",
    "required": ["status", "error"],
    "properties": {
        "status": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "object"},
            },
        },
    },
}


def _operation(
    summary: str, statuses: tuple[int, ...], body: Any = None, parameters: list[dict[str, Any]] | None = None
) -> Operation:
    """The keyword arguments of a route."""
    extra: dict[str, Any] = {"security": [{"bearer": []}]}
    if body is not None:
        extra["requestBody"] = body
    if parameters:
        extra["parameters"] = parameters
    responses = {
        status: {"description": SENTENCES[status], "content": {"application/json": {"schema": _ERROR}}}
        for status in statuses
    }
    return {"summary": summary, "openapi_extra": extra, "responses": responses}


def _json(schema: dict[str, Any], example: Any, required: bool = True) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"required": required, "content": content}


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeat with the same key and body gets the first answer again",
    "schema": {"type": "string", "maxLength": 255},
}

_JOB = {
    "type": "object",
    "required": ["job_type", "parameters"],
    "additionalProperties": False,
    "properties": {
        "job_type": {"enum": sorted(PARAMETERS)},
        "parameters": {"oneOf": [model.model_json_schema() for model in PARAMETERS.values()]},
        "user_id": {"type": "string", "maxLength": 255},
    },
}

_JOB_EXAMPLE = {
    "job_type": "pdf",
    "parameters": {"filename": "/path/to/file.pdf", "extraction_method": "native"},
    "user_id": "optional-user-id",
}

_BATCH = {
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

_FILE = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        }
    },
}

_REASON = {"type": "object", "properties": {"reason": {"type": "string", "maxLength": 64}}}

CREATE_JOB = _operation("Create a job", (400, 401, 413, 422, 503), _json(_JOB, _JOB_EXAMPLE), [_KEY])
GET_JOB = _operation(
    "Get a job",
    (400, 401, 404, 503),
    parameters=[
        _query("wait", "Seconds to wait for a change of status", {"type": "number", "minimum": 0, "maximum": 60})
    ],
)
CANCEL_JOB = _operation(
    "Cancel a job", (202, 401, 404, 409, 503), _json(_REASON, {"reason": "not needed"}, required=False)
)
GET_EVENTS = _operation(
    "List the facts of a job",
    (400, 401, 404, 503),
    parameters=[
        _query("after", "The sequence number to begin after", {"type": "integer", "minimum": 0}),
        _query("limit", "How many at most", {"type": "integer", "minimum": 0, "maximum": 1000}),
    ],
)
GET_DELIVERIES = _operation("List the webhook attempts of a job", (401, 404, 503))
CREATE_BATCH = _operation(
    "Create a batch of jobs, all or none",
    (400, 401, 413, 422, 503),
    _json(_BATCH, {"batch_name": "My Batch", "jobs": [_JOB_EXAMPLE]}),
    [_KEY],
)
GET_BATCH = _operation("Get a batch", (401, 404, 503))
UPLOAD_FILE = _operation("Upload a file", (400, 401, 413, 503), _FILE)
